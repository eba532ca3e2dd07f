"""The proof under faults: the reference tablet against the real application, over a line that breaks.

`world` is a town with its tablets, its office and its backups; `day` is what happens in it; `line` and
`crash` break things; `entered` remembers by itself what people entered, and `judge` compares that with the
database and the tablets. The state machine (`test_machine`) and the simulation (`run`) share all of these.
"""
