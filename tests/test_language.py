"""Languages: common ones are told, short and odd texts get no wrong name."""

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from timing import grows_linearly

from classifier.language import detect, detect_one, is_supported
from classifier.language.words import FUNCTION_WORDS

WORDS = st.sampled_from(
    [
        *(
            "the",
            "The",
            "and",
            "don’t",
            "(der)",
            "IST",
            "straße",
            "c'est",
            "à",
            "É",
            "la",
            "de",
            "que",
            "«in»",
        ),
        *(
            "İ",
            "ﬁ",
            "e\u0301t",
            "x" * 50,
            "\u2003",
            "для",
            "一",
            "👍",
            "\U0001f600",
            "don't.",
            "...",
            "o",
            "a",
        ),
        *("donʼt", "и", "1a"),
    ]
)
TEXTS = [
    ("The export fails every morning and nobody told us why.", "en"),
    ("Great app, easy to use", "en"),
    ("pls fix, app crashes on startup", "en"),
    ("Cant log in since update", "en"),
    ("App does not sync with my watch anymore", "en"),
    ("QuickBooks sync broken again", "en"),
    ("INVOICES ARE MISSING FROM THE REPORT", "en"),
    ("I love the café's new menu, très chic, but it crashes", "en"),
    ("SSL_ERROR_NO_CYPHER_OVERLAP when I open the page https://example.com/und/der/die", "en"),
    ("Seit letzter Woche werden die Rechnungen mit falschem Steuersatz erstellt.", "de"),
    ("Die App stürzt ab.", "de"),
    ("Bonjour, depuis la mise à jour les formulaires ne s'ouvrent plus.", "fr"),
    ("Très bonne application mais trop lente", "fr"),
    ("Hola, ¿el técnico puede ver en el móvil las piezas?", "es"),
    ("Buongiorno, da ieri non riesco più ad accedere al mio account", "it"),
    ("Não consigo entrar na minha conta desde ontem", "pt"),
    ("Sinds de laatste update werkt de app niet meer", "nl"),
    ("Jag kan inte längre logga in på mitt konto", "sv"),
    ("Od wczoraj nie mogę się zalogować do aplikacji", "pl"),
    ("En voi enää kirjautua sisään, koska sovellus kaatuu", "fi"),
    ("Od včera se nemohu přihlásit do aplikace", "cs"),
    ("Dünden beri uygulama açılmıyor ve giriş yapamıyorum", "tr"),
    ("Tegnap óta nem tudok bejelentkezni az alkalmazásba", "hu"),
    ("Приложение не запускается после обновления", "ru"),
    ("Застосунок не працює після оновлення, її не відкрити", "uk"),
    ("Η εφαρμογή δεν ανοίγει", "el"),
    ("التطبيق لا يعمل منذ التحديث", "ar"),
    ("برنامه پس از به‌روزرسانی باز نمی‌شود چرا", "fa"),
    ("האפליקציה לא נפתחת", "he"),
    ("アプリが起動しません", "ja"),
    ("更新后应用程序无法打开", "zh"),
    ("앱이 열리지 않습니다", "ko"),
    ("ऐप अपडेट के बाद नहीं खुलता", "hi"),
    ("แอปเปิดไม่ได้หลังอัปเดต", "th"),
]


@pytest.mark.parametrize(("text", "code"), TEXTS)
def test_languages(text: str, code: str) -> None:
    assert detect(pd.Series([text])).tolist() == [code]


UNDECIDABLE = [
    *(
        "",
        " ",
        "\n",
        "12345",
        "!!!",
        "👍👍👍",
        "ok",
        "XL",
        "Kestova",
        "0x80070005",
        "PR_CONNECT_RESET_ERROR",
        "INV-20871",
    ),
    *(
        "https://example.com/de/der-die-das",
        "lou@example.com",
        "[EMAIL] [PHONE]",
        "3.14 / 2.71",
        "Ferrante",
        "hhfgjhj kjhkj",
        "აპლიკაცია არ იხსნება",
        "QB",
    ),
]


@pytest.mark.parametrize("text", UNDECIDABLE)
def test_what_says_nothing_has_no_language(text: str) -> None:
    assert detect(pd.Series([text])).tolist() == [""]


SHORT_ENGLISH = [
    "Thanks",
    "hello there",
    "not working",
    "Nice watch",
    "love it",
    "crashes",
    "price?",
    "any news",
    "Renewal Q2",
]


@pytest.mark.parametrize("text", SHORT_ENGLISH)
def test_short_english_is_never_taken_for_another_language(text: str) -> None:
    assert detect(pd.Series([text])).tolist()[0] in ("en", "")


@settings(max_examples=60)
@given(
    st.lists(st.sampled_from([text for text, _ in TEXTS] + UNDECIDABLE) | st.text(max_size=30), max_size=8)
)
def test_each_text_is_judged_alone(texts: list[str]) -> None:
    codes = detect(pd.Series(texts, index=range(5, 5 + len(texts)), dtype="str"))
    assert codes.index.tolist() == list(range(5, 5 + len(texts)))
    assert codes.tolist() == [detect(pd.Series([text])).tolist()[0] for text in texts]


@settings(max_examples=150)
@given(st.lists(st.lists(WORDS, max_size=60).map(" ".join) | st.text(max_size=500), max_size=4))
def test_columns_equal_the_readable_rule(texts: list[str]) -> None:
    assert detect(pd.Series(texts, dtype="str")).tolist() == [detect_one(text) for text in texts]


ENGLISH = "The export fails every morning and nobody told us why, so we have to do it again and again."


def test_what_comes_first_decides_where_it_is_clear() -> None:
    german = " ".join(["Der Export der Rechnungen ist seit dem Wochenende nicht mehr möglich."] * 4)
    assert detect_one(f"{ENGLISH} {german}") == "en"
    assert detect_one(f"{german} {ENGLISH}") == "de"
    assert detect_one(f"{ENGLISH} 导出每天早上都失败，没有人告诉我们原因。" * 3) == "en"
    assert detect_one("导出每天早上都失败，没有人告诉我们原因。" * 8 + ENGLISH) == "zh"
    # A greeting alone doesn't.
    assert detect_one(f"Hello, here is the report. {german}") == "de"
    texts = [f"{ENGLISH} {german}", f"{german} {ENGLISH}", f"Hello, here is the report. {german}"]
    assert detect(pd.Series(texts)).tolist() == ["en", "de", "de"]


def test_sales_notes_of_the_demo_company() -> None:
    notes = pd.read_csv(Path(__file__).parents[1] / "data/examples/sales_notes.csv", keep_default_na=False)
    codes = detect(notes["Description"])
    # Two people of that company write some of theirs in French.
    assert set(codes) <= {"en", "fr", ""}
    assert codes.eq("en").mean() > 0.95


def test_no_texts_no_codes() -> None:
    codes = detect(pd.Series([], dtype="str"))
    assert (codes.tolist(), codes.dtype) == ([], "str")


def test_unsupported_languages() -> None:
    codes = pd.Series(["en", "de", "", "ja"], index=[3, 1, 2, 0])
    assert is_supported(codes, ("en",)).to_dict() == {3: True, 1: False, 2: True, 0: False}
    assert is_supported(codes, ["en", "de"]).tolist() == [True, True, True, False]


def test_function_words_are_folded_and_single() -> None:
    for words in FUNCTION_WORDS.values():
        assert all(word == word.casefold() and " " not in word for word in words)


@pytest.mark.parametrize("unit", ["a", "a ", "/", "@", "[A", "'", "1", "ж", "a'", "://", "é"])
def test_hostile_text_takes_no_time(unit: str) -> None:
    assert grows_linearly(lambda size: detect(pd.Series([unit * (size // len(unit))] * 3)), 1_000_000)
