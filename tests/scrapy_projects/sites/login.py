"""What does a site answer that wants a login, with a form, a token and cookies?"""

from __future__ import annotations

from tests.scrapy_projects.sites import Answer, Asked, cookies, form, host, page, path, query, redirect

FORM = """
<form name="search" action="/search"><input name="q" value=""></form>
<form id="login" name="login" method="post" action="login?next=/home#top">
<input type="hidden" name="csrf" value="t0ken"><input name="user"><input type="password" name="password">
<input type="checkbox" name="remember" checked> <input type="checkbox" name="news">
<select name="lang"><option value="en">en<option value="de" selected>de</select>
<textarea name="note">line</textarea><input type="submit" name="go" value="Log in"><input type="submit" name="no" value="No">
<button name="b" value="1">B</button></form>"""
MORE = """<form id="more" method="post"><input type="hidden" name="page" value="2"><input type="radio" name="r" value="1">
<input type="radio" name="r" value="2" checked><input type="submit" name="back" value="Back">
<input type="submit" name="next" value="Next"></form>"""


def answer(asked: Asked) -> Answer | int:
    """Answer as the portal does."""
    sent = cookies(asked)
    match (host(asked), asked.method, path(asked)):
        case ("basic.example", _, "/area"):
            given = asked.headers.get("Authorization", "")
            return Answer(f"<p id=authorization>{given}</p>", 200 if given else 401)
        case (_, "GET", "/login"):
            return page("Log in", FORM, Set_Cookie="before=1; Path=/")
        case (_, "POST", "/login"):
            fields = form(asked)
            if fields.get("password") != "secret" or fields.get("csrf") != "t0ken":
                return page("Login failed")
            to = query(asked).get("next", "/home") + "/" + fields["user"]
            return redirect(to, Set_Cookie=f"session={fields['user']}; Path=/; HttpOnly")
        case (_, _, where) if where.startswith("/home/"):
            links = "".join(f'<li><a href="/member/{number}">{number}</a></li>' for number in range(1, 4))
            return page(f"Home of {sent.get('session')}", f"<ul class=members>{links}</ul>")
        case (_, "POST", "/search") if form(asked).get("page") == "1":
            return page("Search", "<li>one</li><li>two</li>", MORE)
        case (_, _, "/search"):
            return page("Search", f"<li>three {query(asked)} {form(asked)}</li>")
        case (_, _, where) if where.startswith("/member/"):
            return page(
                f"Member {where[-1]}", '<a class=mail href="mailto:a@b.example">mail</a>',
                f"<p id=cookie>{sorted(sent)}</p>", head='<base href="http://portal.example/people/">',
            )  # fmt: skip
    return 404
