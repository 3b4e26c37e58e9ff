"""Texts that somebody who can reach the broker, or the address bar, may send: none may be more than text."""

from __future__ import annotations

MARK = "h0st1l3"
"""Stands in all those texts that would do something, so that what they did can be found."""

LONG = 1_000_000

HOSTILE: dict[str, str] = {
    "script": f"<script>window.{MARK}=1;alert('{MARK}')</script>",
    "closing script": f"</script></style></textarea></title><script>window.{MARK}=2</script>",
    "image": f"<img src=x onerror=window.{MARK}=3><svg/onload=window.{MARK}=4>",
    "attribute": f"\" autofocus onfocus=window.{MARK}=5 x='' y=\"' onmouseover=window.{MARK}=6 z='",
    "comment": f"--><!--{MARK}--><![CDATA[{MARK}]]><?{MARK}?>",
    "javascript address": f"javascript:window.{MARK}=7//https://evil.example/{MARK}",
    "other site": f"//evil.example/{MARK}\\@evil.example",
    "template": f"{{{{7*7}}}}{{% raw 7*7 %}}{{% import os %}}{{# {MARK} #}}${{7*7}}<%= 7*7 %>#{{7*7}}",
    "sql": f"'; DROP TABLE tasks; -- {MARK}\" OR 1=1 /*",
    "like": "%_\\%\\_[a-z]*?",
    "ldap": f"*)(uid=*))(|(uid={MARK}",
    "shell": f"$(touch /tmp/{MARK});`id`|cat /etc/passwd & echo",
    "header": f"a\r\nX-Hostile: {MARK}\r\nSet-Cookie: {MARK}=1\r\n\r\n<b>{MARK}</b>",
    "line": f"a\nWARNING {MARK} forged line\rdata: {MARK}\n\nevent: {MARK}\n\n",
    "nul": f"a\x00{MARK}\x00",
    "controls": "".join(map(chr, [*range(1, 32), *range(127, 160)])),
    "terminal": f"\x1b[2J\x1b[31m{MARK}\x1b]0;{MARK}\x07\x9b31m",
    "right to left": f"\u202egnp.{MARK}\u2066\u2069\u200b\ufeff",
    "line separators": f"a\u2028{MARK}\u2029\x85b",
    "lone surrogate": f"a\ud800{MARK}\udfff",
    "not characters": "\ufffe\uffff\U0010ffff",
    "emoji": "👩‍👩‍👧‍👦🏳️‍🌈🤦🏽‍♂️",
    "combining": "Z" + "\u0351\u036b\u0343\u036a\u0302" * 60,
    "formula": f"=cmd|' /C calc'!A0;=HYPERLINK(\"https://evil.example/{MARK}\")",
    "formula behind a blank": f"\t@SUM(1+1)*cmd|' /C calc'!A0 {MARK}",
    "csv": f'a","{MARK}",=1+1\r\n"=2+2',
    "path": "../../../../etc/passwd",
    "encoded path": "..%2f..%2f%2e%2e/etc/passwd%00.html%0d%0aX-Hostile:%20x",
    "only dots": "..",
    "slashes": "/",
    "question": f"?a=b&c=d#{MARK};%",
    "format": "%s%n%d%(name)s{0}{0.__class__.__mro__}{!r}",
    "prototype": "__proto__",
    "constructor": "constructor",
    "dunder": "__class__.__init__.__globals__",
    "json": f'"}},"{MARK}":[{{"a":1e999}}],"x":"\\u0000\\',
    "number": "1e309",
    "long number": "9" * 400,
    "not a number": "NaN",
    "nothing": "null",
    "python nothing": "None",
    "false": "false",
    "blank": " ",
    "search": "state:(NOT ((((\"' OR -args:*~/[",
    "backtracking": "a" * 3000 + "!" + "(" * 3000,
    "metric": f'a"}} 1\n# TYPE {MARK} counter\n{MARK}{{x="\\',
    "unbroken": "W" * 5000,
    "long": f"{MARK} " * (LONG // (len(MARK) + 1)),
}
"""What it is -> the text."""

SHORT = {name: text for name, text in HOSTILE.items() if len(text) < LONG // 2}
"""Those that fit into an address."""
