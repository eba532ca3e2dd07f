"""The local authority's certificate, for tablets to fetch and trust: `/ca.crt`."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe


@login_not_required
@require_safe
def certificate(_request: HttpRequest) -> HttpResponse:
    """Answer with the authority's public certificate; 404 when the server has none of its own making."""
    path = Path(settings.VAR_DIR) / "tls" / "ca.crt"
    if not path.is_file():
        raise Http404
    return HttpResponse(
        path.read_bytes(),
        content_type="application/x-x509-ca-cert",
        headers={"Content-Disposition": 'attachment; filename="grandlist-ca.crt"'},
    )
