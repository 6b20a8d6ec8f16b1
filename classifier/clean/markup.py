"""HTML to text, only where a text is HTML and not a customer's words about HTML.

In: one text. Out: the text that a browser would show, or the same text where no HTML was recognised.
Never changes a letter, and never touches "<3", "x < y", "List<String>", "<unknown>" or pasted code.
"""

import html
import re
from collections.abc import Iterator


def _tags(names: str) -> tuple[str, ...]:
    return tuple(names.split())


_BLOCKS = _tags(
    "address article aside blockquote body center dd details div dl dt fieldset figure footer form h1 h2 h3"
    " h4 h5 h6 header hr html main nav ol p pre section summary table tbody tfoot thead tr ul"
)
_LINES = ("br", "li")
_CELLS = ("td", "th")
_INLINE = _tags(
    "a abbr acronym area audio b base basefont bdi bdo big button canvas caption cite code col colgroup data"
    " del dfn em embed figcaption font head i iframe img input ins kbd label legend link map mark meta"
    " noscript object option param q s samp script select small source span strike strong style sub sup svg"
    " template textarea time title track tt u var video wbr"
)
_COMMENT = "--"
_DROPPED = frozenset({_COMMENT, "script", "style", "head", "title", "template"})
# Noncharacters never occur in text: the edge of a block, of a paragraph; a line break stands for itself.
_EDGE, _PARAGRAPH = "\ufdd0", "\ufdd1"
_BREAKS = {
    **dict.fromkeys((*_BLOCKS, "li"), _EDGE),
    **dict.fromkeys(("p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "table", "pre"), _PARAGRAPH),
    **dict.fromkeys(_CELLS, " "),
    "br": "\n",
}

# Longest first, or "b" would be tried before "body"; [owv]: are Office's own (<o:p>).
_NAMES = "|".join(sorted((*_BLOCKS, *_LINES, *_CELLS, *_INLINE), key=len, reverse=True))
_TOKEN = re.compile(
    rf"<!--|-->|<!\[[^<>]*>|<!doctype\b[^<>]*>|<\?xml\b[^<>]*>|<(/?)({_NAMES}"
    rf"|[owv]:\w{{1,20}})(?=[\s/>])[^<>]*>",
    re.IGNORECASE,
)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_AMPERSANDS = re.compile(r"&(?:amp;)+(?=#?\w{1,32};)")

_STARTS = re.compile(
    r"\s*(?:<!doctype html|<!--|<(?:html|head|body|meta|style|div|p|span|font|table|ul|ol|h[1-6]"
    r"|blockquote|pre|center"
    r"|section|article|br|a|b|i|u|em|strong)(?=[\s/>])[^<>]*>)",
    re.IGNORECASE,
)
_CLOSES = re.compile(
    r"</(?:html|body|div|p|span|font|table|ul|ol|h[1-6]|blockquote|pre|center|section|article|a|b|i|u|em"
    r"|strong)>|<br",
    re.IGNORECASE,
)
# A tag that sticks to a word or to the tag before it lays out a text; "insert a <br> here" doesn't.
_LAYOUT = re.compile(
    r"[^\s\"'`“”‘’(<=]<(?:br ?/?|div|p|ul|ol|blockquote)(?:\s[^<>]*)?>|<br ?/?>\s?<br ?/?>"
    r"|</(?:p|div|span|li)>\s?<(?:p|div|span|li)(?=[\s>])",
    re.IGNORECASE,
)
_LINK = re.compile(r"<a\s[^<>]{0,200}?href=[\"'\s]{0,3}(?:https?:|mailto:)[^<>]*>[^<>]", re.IGNORECASE)
# What people paste when they write about pages that they build; mails hold none of it.
_CODE = re.compile(
    r"```|<(?:script|form|input|button|iframe|svg|canvas|video|select|textarea|meta|link|html|head"
    r"|body)(?=[\s/>])"
    r"|\bon(?:click|error|load|paste)\s*=|\bfunction\s*\(|\bdocument\.\w",
    re.IGNORECASE,
)
_ABOUT = re.compile(r"\b(?:html5?|css|javascript|markup|divs?|tags?)\b", re.IGNORECASE)
# An apostrophe inside an English contraction, a non-breaking space stuck to a word: nobody types those.
_ESCAPED = re.compile(
    r"[A-Za-z]&(?:amp;)*#0?39;(?:s|t|m|d|re|ve|ll)\b|[\w.,!?]&(?:amp;)*nbsp;|&(?:amp;)*nbsp;\w"
)
_ESCAPED_TAG = re.compile(r"&(?:amp;)*lt;/?(?:p|br|div|span|a|table|b|i|ul|li)\b", re.IGNORECASE)

_SPACES = re.compile(r"\s+")
_INLINE_SPACES = re.compile(r"[^\S\n]+")
_BREAK = re.compile(f"([\\n{_EDGE}{_PARAGRAPH}])")


def strip_html(text: str) -> str:
    """Return what a browser would show of `text`; `text` itself where it isn't HTML.

    Paragraphs and line breaks become line breaks, entities characters, quoted blocks lines that start
    with ">"; scripts, styles and comments go, the text of links stays.
    """
    if is_html(text):
        return _text_of(text)
    if "&" not in text:
        return text
    if _ESCAPED_TAG.search(text) and "<" not in text:
        unescaped = _unescape(text)
        return _text_of(unescaped) if is_html(unescaped) else text
    return _unescape(text) if _ESCAPED.search(text) else text


def is_html(text: str) -> bool:
    """Tell whether `text` was written by a program as HTML; a tag that is only mentioned doesn't count."""
    if "<" not in text or ">" not in text:
        return False
    if _is_page(text):
        return True
    if _CODE.search(text) or not (_LAYOUT.search(text) or _has_link(text)):
        return False
    return not _ABOUT.search(_TOKEN.sub(" ", text))


def _is_page(text: str) -> bool:
    return _STARTS.match(text) is not None and _CLOSES.search(text) is not None


def _has_link(text: str) -> bool:
    end = text.lower().rfind("</a>")
    return end > 0 and _LINK.search(text, 0, end) is not None


def _unescape(text: str) -> str:
    return _ENTITY.sub(_character, _AMPERSANDS.sub("&", text))


def _character(entity: re.Match[str]) -> str:
    found = html.unescape(entity.group())
    return " " if found.isspace() else found


def _text_of(text: str) -> str:
    tokens = list(_TOKEN.finditer(text))
    # In a page line ends mean nothing; between words that somebody typed they do.
    keep_lines = not _is_page(text) or not any(
        _name(token) in _BLOCKS or _name(token) == "p" for token in tokens
    )
    depth = {"pre": 0, "blockquote": 0}
    pieces: list[tuple[str, bool]] = []
    after_break = False
    for name, closing, between in _pieces(text, tokens):
        run = _run(between, keep=depth["pre"] > 0, keep_lines=keep_lines)
        # nl2br writes "<br>" before each line end: that is one break.
        pieces.append((run.lstrip(" ").removeprefix("\n") if after_break else run, depth["blockquote"] > 0))
        if name in depth:
            depth[name] = max(0, depth[name] + (-1 if closing else 1))
        pieces.append((_BREAKS.get(name, ""), depth["blockquote"] > 0))
        after_break = name == "br"
    return _lines_of(pieces)


def _name(token: re.Match[str]) -> str:
    return _COMMENT if token.group() in ("<!--", "-->") else (token.group(2) or "").lower()


def _closes(token: re.Match[str]) -> bool:
    return token.group() == "-->" or bool(token.group(1))


def _pieces(text: str, tokens: list[re.Match[str]]) -> Iterator[tuple[str, bool, str]]:
    """Yield (tag name, whether it closes, the text before it); the last one has no name."""
    last_end = {_name(token): token.start() for token in tokens if _closes(token)}
    start = 0
    skipping = ""
    for token in tokens:
        name, closing = _name(token), _closes(token)
        if skipping:
            if name == skipping and closing:
                skipping, start = "", token.end()
            continue
        if token.group() == "-->":  # an arrow, not the end of a comment
            continue
        yield name, closing, text[start : token.start()]
        start = token.end()
        # Without its end tag nothing is skipped: that would lose the rest of the text.
        if name in _DROPPED and not closing and last_end.get(name, -1) >= start:
            skipping = name
    yield "", False, text[start:]


def _run(between: str, *, keep: bool, keep_lines: bool) -> str:
    if not between:
        return ""
    unescaped = _unescape(between)
    if keep:
        return unescaped
    # Where only <br> and inline tags occur, the line breaks between them were typed by somebody.
    return _INLINE_SPACES.sub(" ", unescaped) if keep_lines else _SPACES.sub(" ", unescaped)


def _lines_of(pieces: list[tuple[str, bool]]) -> str:
    """Join (text, is quoted) with the line breaks that a browser would show, at most one blank line each."""
    lines: list[str] = []
    line, line_quoted, breaks = "", False, ""
    for piece, quoted in pieces:
        for part in _BREAK.split(piece):
            if part in ("\n", _EDGE, _PARAGRAPH):
                if line.strip():
                    lines.append(f"> {line.strip()}" if line_quoted else line.strip())
                line, breaks = "", breaks + part
            elif part.strip():
                if not line.strip() and lines:
                    lines += [""] * (_blank(breaks) and quoted == line_quoted)
                line, line_quoted, breaks = line + part, quoted, ""
            else:
                line += part
    if line.strip():
        lines.append(f"> {line.strip()}" if line_quoted else line.strip())
    return "\n".join(lines)


def _blank(breaks: str) -> bool:
    """Tell whether these breaks leave a blank line: a paragraph does, and a <br> on a line of its own."""
    at_edge = breaks.startswith(_EDGE)
    return _PARAGRAPH in breaks or breaks.count("\n") + at_edge > 1
