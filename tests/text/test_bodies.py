from gatepost.text import bodies


def test_our_text_becomes_paragraphs_lines_and_links():
    html = bodies.text_to_html("Hi <b>\nsee https://a.example/x?a=1&b=2.\n\nBye")
    assert "<p>Hi &lt;b&gt;<br>" in html
    assert '<a href="https://a.example/x?a=1&amp;b=2">' in html
    assert html.count("<p>") == 2


def test_text_survives_the_way_through_html():
    text = "Hi Ada,\nhow are you?\n\nBest\nBob & Co"
    assert bodies.html_to_text(bodies.text_to_html(text)) == text


def test_what_a_reader_does_not_see_is_not_text():
    html = "<style>a</style><script>b</script><p style='display: none'>c</p><!-- d --><p>e</p>"
    assert bodies.html_to_text(html) == "e"


def test_only_the_first_bytes_are_read():
    assert len(bodies.html_to_text("é" * 1_000, max_bytes=100)) == 50


def test_tags_nested_seven_thousand_deep_leave_their_text():
    assert bodies.html_to_text("<div>" * 7_000 + "x") == "x"


def test_elements_that_differ_in_style_or_ground_alone_are_told_apart():
    html = "".join(
        f"<p {attributes}>{word}</p>"
        for word, attributes in (
            ("a", "style='display:none'"), ("b", "style='color:red'"), ("c", "class=x"), ("d", "id=y"), ("e", "class=z"),
            ("f", "hidden"), ("g", "bgcolor=black"), ("h", "bgcolor=white"), ("i", "id=w"),
        )
    )  # fmt: skip
    sheet = "<style>.x{display:none} #y{visibility:hidden}</style>"
    assert bodies.html_to_text(sheet + html).split() == ["b", "e", "h", "i"]
