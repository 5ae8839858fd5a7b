"""Words by language, as data: what marks a quote, a signature, a label. The rules that use them are beside."""
