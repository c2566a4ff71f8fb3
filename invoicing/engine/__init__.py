"""The invoice-compute engine: what a customer owes, who pays it, and why. Values in, values out.

**The unit is the customer.** All contracts of a customer and all periods that are not final are walked together, hour
by hour, from what final documents have left of each balance: contracts share balances, and October in its grace period
draws on what November will.

**Within an hour**

1. Usage below zero takes back the same item's latest units of its period, and gives back to whoever paid for them.
2. For each balance in its order, for each item in its order: what is left of the item is priced as that balance would
   pay for it, from where the item's counter stands; the balance takes what it can pay and passes on the rest. What is
   free passes it by.
3. What nobody took is priced ordinarily, and is to be paid.

An item is a product under one contract in one period, for one combination of its values. Items come by the higher list
price of the next unit, then by product, contract and values. A postpaid commit is a balance too: what it takes counts
toward it and is still to be paid.

**At the end of a period** composites are charged, each balance is drawn on in 12 decimals as it will be posted, and a
contract that is renewed hands on what rolls over. True-ups come last.

**Worked tables.** Prices are in cents. Of every table there is a test.

A commit runs out within an hour: H costs 10, a balance has 25.

    hour   used   covered    to pay
    1      2 H    20
    2      2 H     5          15

The price depends on who pays: 16 H, list price 10, commit rate 8, a commit of 80.

    covered 10 at 8 = 80     to pay 6 at 10 = 60

The counter is the same whoever pays: 15 H, list price 10 for ten units, then 8; commit rate 6 for ten, then 4; the
balance has 68.

    covered 10 at 6 and 2 at 4 = 68     to pay 3 at 8 = 24

A multiplier of a half that holds only while a commit of 30 pays: 10 H at 10.

    covered 6 at 5 = 30     to pay 4 at 10 = 40

Credits beside dollars: 10 units at 2 credits, of which one is worth 3 cents; a credit of 8 credits, a commit of 30.

    by credits 4 units = 8 credits     converted 12 credits = 36     covered 30     to pay 6

Two contracts share a commit of 100, and use 80 each in the same hours.

    covered 50 and 50     to pay 30 and 30

October in its grace period beside November: a commit of 100, H at 10.

    used                                             October             November
    7 H in October, 5 H in November                  70 covered          30 covered, 20 to pay
    and 2 H more of October, that come late          90 covered          10 covered, 40 to pay

**Where to read on**, in the order of the walk: `plan` (where time is cut), `commits`, `recurring` and `rollovers` (what
may be drawn on), `balances` (their order), `stretches` (prices and payers over time), `walk` (the loop, and its short
cut), `hours` and `takes` (who gets what), `sums`, `composites`, `lines` and `rounding` (what the customer reads),
`standings`, `trueup`.
"""
