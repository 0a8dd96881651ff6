-- What the notice of an automatic renewal said will be charged, in minor units of its currency.
ALTER TABLE auto_renewal ADD COLUMN announced_total BIGINT;
