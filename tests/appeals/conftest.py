from tests.roll.conftest import office, signed

__all__ = ["office", "signed"]
