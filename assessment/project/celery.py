"""The Celery app: it carries ids of work; what is to be done stands in rows (docs/adr)."""

from __future__ import annotations

import os
from contextlib import suppress
from importlib import import_module
from pathlib import Path

from celery import Celery
from django.conf import settings

from assessment.jobs import registry

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "assessment.project.settings")

ROOT = Path(__file__).resolve().parents[2]
APPS = ("assessment", "gis", "valuation", "fieldsync")

app = Celery("grandlist")


def task_modules() -> list[str]:
    """Every feature's `tasks.py`, as dotted names."""
    files = sorted(path for name in APPS for path in (ROOT / name).rglob("tasks.py"))
    return [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in files]


def load_tasks() -> None:
    """Import every feature's `tasks.py`, which registers its tasks and job handlers."""
    for module in task_modules():
        import_module(module)


def configure() -> None:
    """Read Django's settings into the app."""
    app.conf.update(
        broker_url=settings.CELERY_BROKER_URL,
        broker_connection_retry_on_startup=True,
        broker_transport_options={"max_retries": 2, "interval_start": 0, "interval_step": 0.2},
        task_always_eager=settings.CELERY_TASK_ALWAYS_EAGER,
        task_ignore_result=True,
        task_serializer="json",
        accept_content=["json"],
        task_default_queue="grandlist",
        # A message is given back when its worker dies; the job's claim makes a second delivery harmless.
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        worker_prefetch_multiplier=1,
        worker_enable_remote_control=False,
        worker_send_task_events=False,
        worker_hijack_root_logger=False,
        worker_max_memory_per_child=2_000_000,
        timezone="UTC",
        imports=task_modules(),
        beat_schedule={
            "requeue-left-behind": {
                "task": "jobs.requeue_left_behind",
                "schedule": 30.0,
                # One that waited longer is not needed: the next does the same.
                "options": {"expires": 25},
            },
            "rebuild-packages": {
                "task": "fieldsync.rebuild_packages",
                "schedule": 600.0,
                "options": {"expires": 500},
            },
            "tidy-photos": {
                "task": "fieldsync.tidy_photos",
                "schedule": 30.0,
                "options": {"expires": 25},
            },
            "keep-photos": {
                "task": "fieldsync.keep_photos",
                "schedule": 900.0,
                "options": {"expires": 600},
            },
        },
    )
    if settings.CELERY_BROKER_URL.startswith("filesystem:"):
        _use_folder(Path(settings.VAR_DIR) / "broker")


def _use_folder(folder: Path) -> None:
    messages, control = folder / "messages", folder / "control"
    # A command that sends nothing also runs where it may not write.
    with suppress(PermissionError):
        for path in (messages, control):
            path.mkdir(parents=True, exist_ok=True, mode=0o700)
    app.conf.broker_transport_options = {
        "data_folder_in": str(messages),
        "data_folder_out": str(messages),
        "control_folder": str(control),
        "store_processed": False,
        "polling_interval": 0.2,
    }


configure()
app.set_default()
registry.load_with(load_tasks)
