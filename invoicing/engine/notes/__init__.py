"""Notes: what a final document would be by what is known now, against what was billed for it.

A final document never changes. Where terms or prices of its period are changed later, by an edit or a publication that
reaches back, the period is rated again, from the usage that was billed for it, and the difference is proposed as a
note: a credit note where it is less, a debit note where it is more. Nothing is billed until somebody has approved it.

**Who pays.** Units stay with who has them: a unit that was paid for by a balance is priced as that balance would pay
for it now, and one that nobody's balance paid for at what is asked. What the units of a balance cost less is given back
to it; what they cost more it pays, as far as it has anything left, and the rest is to be paid. A unit whose payer may
not pay for it any more is to be paid; a balance that has paid and is not agreed any more keeps what it has paid for.
Where the count itself comes to another number (another conversion, another base of a composite), each payer keeps its
share of the units.

**What is known moves forward.** With the note, the period's terms and prices are those that the note was made of, and
what stands for it is what the note came to: late usage is rated by these, and the next proposal is the difference to
it.

**Rounding follows the sum**: what the period would print for all of it, less what was printed for it before.

**Worked table.** Prices are in cents; October is final, 10 H were used on the 5th, and 10 H on the 20th. Of every row
there is a test.

    price   paid by           what is changed                        note
    10      nobody            8 from 1 October on                    -40
    10      nobody            12 from 1 October on                   40
    10      nobody            half of it from the 15th on            -50
    10      nobody            nothing that October has               none
    10      a commit of 300   8 from 1 October on                    0 to pay, 40 given back to the commit
    10      a commit of 150   8 from 1 October on                    -10 to pay, 30 given back to the commit
    10      a commit of 220   12 from 1 October on                   20 paid by the commit, 20 to pay
    10      nobody            a commit of 300 from 1 October on      none
    1.04    nobody            1.05 from 1 October on                 none: 20.8 and 21 are both printed as 21
    10      nobody            8 from 1 October on, then 9            -40, and then 20
    10      nobody            8 from 1 October on; 5 H come late     -40, and then 40

**Where to read on**: `anew` (the units of an item, by payer, at the prices of now), `correct` (composites, balances and
the difference), `late.lines` (what the customer reads, and what is posted).
"""
