"""A revaluation year and the interim year after it, through the product's real interfaces.

Nothing here calls a service: it starts a server and a worker, signs in over HTTP, sends a tablet to the field,
and runs the operator's commands as an operator would. The tablet is loaded by its dotted name, because
`assessment` stands below `fieldsync`.
"""
