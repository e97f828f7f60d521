"""What rounds say: a round measures every configuration once, and its log-ratio is the unit. Pure.

    ranks                      exact null distributions of the two rank tests, and the order statistics they lead to
    estimates  pairing  floor  ratio with interval; whether pairing helps; what equal configurations would show
    decision                   the five words
    sequential settling        looks announced beforehand, with an error budget; when to stop
    allocation shift           longer trials or more rounds; the ratio over the whole tail

Every value is a plain array; NaN is a trial that failed. Nothing here reads a run.
"""
