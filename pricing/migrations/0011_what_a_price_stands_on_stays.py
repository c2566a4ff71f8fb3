"""What published prices and conversions are read by never changes under them.

A conversion is of a custom unit when it is inserted (0008); here units do not turn into currencies later, cards are in
a currency and keep it, and products keep their type. Triggers fire for new statements alone: no row is read.
"""

from django.db import migrations

STAYS = """
CREATE FUNCTION refuse_change_below_prices() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER pricing_pricingunit_stays BEFORE UPDATE ON pricing_pricingunit FOR EACH ROW
WHEN ((OLD.is_currency, OLD.code, OLD.wire_exponent, OLD.minor_exponent)
    IS DISTINCT FROM (NEW.is_currency, NEW.code, NEW.wire_exponent, NEW.minor_exponent))
EXECUTE FUNCTION refuse_change_below_prices(
    'a_pricing_unit_stays_what_it_is: amounts are stored in it, and only its name may change');
CREATE TRIGGER pricing_ratecard_stays BEFORE UPDATE ON pricing_ratecard FOR EACH ROW
WHEN (OLD.fiat_unit_id IS DISTINCT FROM NEW.fiat_unit_id)
EXECUTE FUNCTION refuse_change_below_prices('a_rate_card_keeps_its_currency: its prices are in it');
CREATE TRIGGER pricing_product_stays BEFORE UPDATE ON pricing_product FOR EACH ROW
WHEN (OLD.type IS DISTINCT FROM NEW.type)
EXECUTE FUNCTION refuse_change_below_prices('a_product_keeps_its_type: its rates suit that');
"""

IN_MONEY = """
CREATE FUNCTION refuse_rate_card_without_currency() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM pricing_pricingunit WHERE id = NEW.fiat_unit_id AND is_currency) THEN
        RAISE EXCEPTION 'a_rate_card_is_in_a_currency: its unit is a custom one'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER pricing_ratecard_in_money AFTER INSERT ON pricing_ratecard
FOR EACH ROW EXECUTE FUNCTION refuse_rate_card_without_currency();
"""

UNDO = """
DROP TRIGGER pricing_ratecard_in_money ON pricing_ratecard;
DROP FUNCTION refuse_rate_card_without_currency();
DROP TRIGGER pricing_product_stays ON pricing_product;
DROP TRIGGER pricing_ratecard_stays ON pricing_ratecard;
DROP TRIGGER pricing_pricingunit_stays ON pricing_pricingunit;
DROP FUNCTION refuse_change_below_prices();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("pricing", "0009_rates_were_looked_through"),
    ]

    operations = [migrations.RunSQL(STAYS + IN_MONEY, UNDO)]
