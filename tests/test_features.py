import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.features import MAX_TOKEN, FeatureSettings, distinct, hash_chars, ngrams, spread, tokens

WORDS = FeatureSettings(bits=20, words=2, char_max=0)


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        ("It crashed, twice.", ["it", "crashed", "twice"]),
        ("IT CRASHED", ["it", "crashed"]),
        ("Don't, O’Brien's", ["don't", "o'brien's"]),
        ("'quoted' rock 'n' roll users'", ["quoted", "rock", "n", "roll", "users"]),
        ("v2.3 costs €30 (was $25)!", ["v0", "0", "costs", "€", "00", "was", "$", "00", "!"]),
        ("5GB 1st 2026-03-31", ["0gb", "0st", "0000", "00", "00"]),
        ("why??", ["why", "?", "?"]),
        ("50% #help @anna a&b c++", ["00", "%", "#", "help", "@", "anna", "a", "&", "b", "c", "+", "+"]),
        ("sign-on snake_case a/b", ["sign", "on", "snake", "case", "a", "b"]),
        ("Straße STRASSE", ["strasse", "strasse"]),
        ("naïve e\u0301te\u0301", ["naïve", "e\u0301te\u0301"]),
        ("日本語です", ["日本語です"]),
        ("good 👍🏽 ❤️", ["good", "👍", "❤"]),
        ("a\0b \ud83d", ["a", "b"]),
        ("x" * 100, ["x" * MAX_TOKEN]),
        ("... -- ,", []),
        ("", []),
    ],
)
def test_tokens(unit, expected):
    assert tokens(unit) == expected


@given(st.text(max_size=60))
def test_tokens_fold_to_the_same_whatever_the_case(text):
    # Not upper(): it also changes which letters there are (ŉ, ﬀ).
    assert tokens(text.casefold()) == tokens(text.casefold().casefold())
    assert all(0 < len(token) <= MAX_TOKEN for token in tokens(text))


def texts_of(unit, settings):
    return [ngram.text for ngram in ngrams(unit, settings)]


def test_word_ngrams_come_in_order_of_their_last_word():
    assert texts_of("It crashed twice", WORDS) == ["it", "crashed", "it crashed", "twice", "crashed twice"]
    three = FeatureSettings(bits=20, words=3, char_max=0)
    assert texts_of("a b c d", three) == ["a", "b", "a b", "c", "b c", "a b c", "d", "c d", "b c d"]
    assert texts_of("a b", FeatureSettings(bits=20, words=1, char_max=0)) == ["a", "b"]


def test_character_ngrams_mark_where_a_word_begins_and_ends():
    settings = FeatureSettings(bits=20, words=1, char_min=3, char_max=4)
    assert texts_of("app", settings) == ["app", "·<ap·", "·app·", "·pp>·", "·<app·", "·app>·"]
    assert texts_of("is", settings) == ["is"]


def test_a_longer_ngram_than_the_word_is_none():
    settings = FeatureSettings(bits=20, words=1, char_min=5, char_max=9)
    assert texts_of("app", settings) == ["app", "·<app>·"]


def test_a_repeated_ngram_comes_again():
    found = [ngram.bucket for ngram in ngrams("no no no", WORDS)]
    assert len(found) == 5
    assert len(set(found)) == 2


def test_distinct_ngrams_are_the_first_of_each_bucket_in_their_order():
    unit = "no no no yes, no way"
    found = distinct(unit, WORDS)
    buckets = [ngram.bucket for ngram in found]
    assert buckets == sorted({ngram.bucket for ngram in ngrams(unit, WORDS)})
    assert {ngram.text for ngram in found} == {"no", "no no", "yes", "no yes", "yes no", "way", "no way"}
    # Two buckets: all collide, and the first n-gram of each stands for the others.
    tiny = FeatureSettings(bits=1, words=2, char_max=0)
    every = list(ngrams(unit, tiny))
    assert distinct(unit, tiny) == [next(one for one in every if one.bucket == bucket) for bucket in (0, 1)]
    assert distinct("", WORDS) == []


def test_order_case_and_numbers():
    def buckets(unit):
        return {ngram.bucket for ngram in ngrams(unit, WORDS)}

    assert buckets("export fails") != buckets("fails export")
    assert buckets("Export FAILS") == buckets("export fails")
    assert buckets("error 500") == buckets("error 404")
    assert buckets("error 500") != buckets("error 50")


@given(st.text(max_size=80), st.integers(1, 22))
def test_buckets_are_in_range(text, bits):
    settings = FeatureSettings(bits=bits, words=3)
    assert settings.buckets == 2**bits
    assert all(0 <= ngram.bucket < settings.buckets for ngram in ngrams(text, settings))


# Published vectors: isthe.com/chongo/tech/comp/fnv (FNV-1a, 32 bit), and the finalizer of MurmurHash3.
@pytest.mark.parametrize(("text", "expected"), [("", 0x811C9DC5), ("a", 0xE40C292C), ("foobar", 0xBF9CF968)])
def test_hash_is_fnv_1a(text, expected):
    assert hash_chars([ord(char) for char in text]) == expected


@pytest.mark.parametrize(("value", "expected"), [(0, 0), (1, 0x514E28B7), (0xFFFFFFFF, 0x81F16F39)])
def test_spread_is_the_finalizer_of_murmur(value, expected):
    assert spread(value) == expected
