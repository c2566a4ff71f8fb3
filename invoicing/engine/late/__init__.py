"""Late usage: what a closed period would be by now, as adjustments on a document that is still open.

A final document never changes. Usage that comes into its period later, or is corrected, makes the period rated once
more, at the terms and prices that were known for it. The difference is billed, or given back, with the next document.

**What a closed period keeps** is in the traces of its lines: of each item (a product, for one combination of values),
of each slice (a time over which neither its price nor who may pay for it changes), how many units went to which payer,
and what they came to. Adjustments keep the same, signed, so all that was posted for a period is known at any time.

**The difference of a slice.** The units of a slice stay with who has them, in the order in which they got them, at the
price that holds while that payer pays; what a unit costs depends on its place in the period, as always.

1. Units that came in late follow those of their slice. They are offered to the balances whose time it was, in their
   order, each at its price; what nobody takes is to be paid.
2. Units that are gone were the slice's last.
3. Units that stay may have moved to another place, because there are more or fewer before them: into another tier, say.
   What they cost more is offered to the same balances; what they cost less is given back, together with what is gone,
   to who has paid for the slice, last first.

A balance has what final documents and entries by hand have left of it, whether or not its time is over: an expired
remainder pays for usage of its time, and nothing is drawn that a later period has drawn meanwhile. What is given back
is there before anything is offered, so an event that is moved from one slice to another costs nothing. All of this
comes before the open periods are walked.

Composites follow: what their base came to more, or less, is more or less of them in the period's last hour.

**The sum over documents** for a closed period, exact, is what was posted at first and the difference that the slices
make, whatever came in which order: two late events at once or after each other come to the same.

**Worked tables.** Prices are in cents; October is final. Of every table there is a test.

H costs 10 up to the 15th, then 20.

    used in time      came late          adjustment
    3 H, 3 H          2 H on the 3rd     2 H = 20
    3 H, 3 H          2 H on the 20th    2 H = 40
    3 H, 3 H          -1 H on the 20th   -1 H = -20

Tiers: 10 for 10 units, then 5, up to the 15th; 20 for 10, then 10, from then on. 6 H were used in each half.

    posted               6 at 10 = 60     4 at 20 and 2 at 10 = 100
    4 H on the 3rd       4 at 10 = 40     6 move into the second tier: -40
    all in time          10 at 10         6 at 10

One payer has run out: H costs 10, a credit of 50 until 1 November has paid for 5 of 8 H; a later period has drawn none.

    came late            adjustment
    -4 H                 -30 to pay, and 10 given back to the credit
    2 H                  20 to pay

A prepaid balance of 100 that expired on 1 November with 40 left; H costs 10.

    came late            adjustment
    3 H                  30 paid by it
    6 H                  40 paid by it, 20 to pay
    6 H, then -3 H       40 paid by it, 20 to pay; then -20 to pay, and 10 given back

After the true-up: a commitment of 1,000, of which 360 were used and billed, and 640 trued up.

    came late            adjustment
    H for 100            100, counts toward the commitment; -100 of the true-up
    H for 900            640 of it count toward the commitment; 900, and -640 of the true-up
    H for -100           -100, and 100 more of the true-up

12 for each package of 10: 8 H were used.

    came late            adjustment
    2 H                  0
    3 H                  12

A package, or a fee, that payers have shared stays as they share it, and goes with its first unit. 12 for each package
of 10, 10 at commit rate, at which a credit of 4 pays: 8 H were 4 of it, and 0.6 of 12 = 7.2 to pay.

    came late            adjustment
    2 H                  0
    -2 H                 0
    -8 H                 -7.2 to pay, and 4 given back to the credit
    3 H                  12 to pay
    3 H, then -3 H       12 to pay; then -12 to pay

By volume, 10 up to 10 units, then 8 for every unit: 10 H were used.

    came late            adjustment
    2 H                  2 at 8 = 16; the 10 cost 20 less: -4 in all

Support is a fifth of what was used: 10 H at 10, so 20.

    came late            adjustment
    5 H                  50, and 10 of support

Rounding follows the sum: a period that came to 10.4 was printed as 10; 0.2 late make 10.6, so the adjustment prints 1.

**Where to read on**: `closed` (what is told of a closed period), `recount` (its usage as of now), `slices` (the
difference of a slice), `rerate` (in which order, and what becomes of balances and true-ups), `lines` (what the customer
reads, and what is posted).
"""
