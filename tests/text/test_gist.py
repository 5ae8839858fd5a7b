"""What is read of a long reply: its most telling sentences, whole, in their order."""

from gatepost.text import learned
from gatepost.text.encoder import MAX_TOKENS, Tokens
from gatepost.text.gist import gist
from gatepost.text.labeller import LABELS_OF_PEOPLE

WEATHER = "The weather has been dreadful here since Sunday and the road to the mill is under water again."


def by_words(text: str) -> list[tuple[int, int]]:
    """Tokens as the encoder has them: first one of the prompt, then the words, then one that ends it."""
    spans, at = [(0, 0)], 0
    for word in text.split():
        at = text.index(word, at)
        spans.append((at, at + len(word)))
        at += len(word)
    return [*spans, (0, 0)]


def read(text: str, room: int, telling) -> str:
    spans = by_words(text)
    chosen = gist(text, spans, room, telling)
    assert chosen[0] == 0 and chosen[-1] == len(spans) - 1  # the prompt's are always read
    return " ".join(text[start:end] for start, end in (spans[token] for token in chosen) if end)


def loud(sentence: str) -> float:
    return sum(map(str.isupper, sentence))


def test_where_there_is_room_everything_is_read() -> None:
    assert read("One two. Three.", 3, loud) == "One two. Three."


def test_the_most_telling_sentences_are_read_in_their_own_order() -> None:
    assert read("quiet here. LOUD one. quiet too. VERY LOUD.", 4, loud) == "LOUD one. VERY LOUD."


def test_the_last_sentence_is_cut_where_the_room_ends() -> None:
    assert read("a b c d. LOUD one.", 3, loud) == "a LOUD one."


def test_one_endless_sentence_is_read_from_its_beginning() -> None:
    assert read("word " * 500, 4, loud) == "word word word word"


def test_a_wish_at_the_end_of_a_long_reply_is_read() -> None:
    heads = learned.Heads.load(learned.WEIGHTS, LABELS_OF_PEOPLE)
    wish = "Please take me off your list."
    text = f"{WEATHER} {WEATHER}\n{WEATHER} {WEATHER} {wish}"
    assert wish in read(text, 30, heads.ngrams.telling)


def test_the_encoder_reads_no_more_than_it_has_room_for() -> None:
    encoder = learned.shipped().encoder
    assert encoder
    tokens: Tokens = encoder.reader.read(f"{WEATHER} " * 40)
    assert len(tokens.ids) == len(tokens.spans) <= MAX_TOKENS + 6
