-- What a customer was about to do when an identity check was asked for: the path of a page.
ALTER TABLE identity_case ADD COLUMN back_to TEXT;
