"""Tables made by others, read row by row: what a town, the state or a vendor hands over.

Nothing here knows the database. A file becomes a `Table`; a `Mapping` turns its rows into `Card`s;
whatever cannot be used becomes a `RowProblem` with its row, column, value and reason.
"""
