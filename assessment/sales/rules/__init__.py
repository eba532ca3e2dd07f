"""Rules of sales: reading addresses, matching them to properties, and validity. Plain Python, no Django."""
