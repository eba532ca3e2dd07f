"""The front door: signing in with a limit on attempts, and out."""

from __future__ import annotations

from typing import Any

from axes.helpers import get_cool_off
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from assessment.region.errors import Problem
from assessment.region.problems import problem_response


class SignInLocked(Problem):
    """Too many wrong passwords for this address from there; a right one is not looked at until then."""

    code, title, status = "sign-in-locked", "Too many attempts to sign in; wait and try again", 429
    headers: dict[str, str]


class SignIn(LoginView):
    """Sign in by e-mail address and password.

    The answer to a wrong password, an unknown address and a closed account is the same.
    """

    template_name = "office/sign_in.html"
    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"next": self.get_redirect_url()}


class SignOut(LogoutView):
    """Sign out; only by POST, so that no link elsewhere can do it."""

    http_method_names = ["post", "options"]


def locked_out(
    request: HttpRequest, credentials: dict[str, Any] | None = None, *args: Any, **kwargs: Any
) -> HttpResponse:
    """Answer an attempt after too many: when to try again, and nothing of whether the address is known."""
    pause = get_cool_off(request)
    minutes = max(1, round(pause.total_seconds() / 60)) if pause else 60
    if request.path.startswith("/api/"):
        problem = SignInLocked(retry="after")
        problem.headers = {"Retry-After": str(minutes * 60)}
        return problem_response(problem, instance=request.path)
    values = {"locked": True, "cooloff_minutes": minutes}
    response = render(request, "office/sign_in.html", values, status=429)
    response["Retry-After"] = str(minutes * 60)
    return response
