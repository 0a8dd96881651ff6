# The account and its settings.
account-personal = You
account-safety = Logging in
account-purchases = Purchases
account-data = Your data
account-none = Not set
account-on = On
account-off = Off
account-save = Save
account-unconfirmed = Not confirmed
account-present = At present

account-email-unconfirmed = Your e-mail address is not confirmed yet
account-email-unconfirmed-text = Confirm { $address }, so that bills reach you and you can log in with it.
account-email-send = Send me a code

account-name-lead = What we call you, on pages and in messages.
account-user-name = User name
account-user-name-lead = A name to log in with, beside your phone number and e-mail address.
account-user-name-hint = 3 to 32 characters: letters a to z, digits, dot, underscore or hyphen. Leave it empty to have none.
account-user-name-short = A user name has at least 3 characters.
account-user-name-long = A user name has at most 32 characters.
account-user-name-character = A user name is made of the letters a to z, digits, dots, underscores and hyphens only.
account-user-name-edge = A user name starts with a letter and ends with a letter or a digit.
account-user-name-reserved = This user name is reserved. Choose another.
account-user-name-taken = Somebody has this user name already. Choose another.
account-language = Language
account-language-lead = For pages and for messages.
account-time-zone = Time zone
account-time-zone-lead = All times, such as the end of your plan, are shown in this time zone.
account-time-zone-now = In your time zone it is now { $time }.
account-time-zone-browser = Take it from this device
account-marketing = Offers and news
account-marketing-lead = Messages about your line, your orders and your account come in any case.
account-marketing-yes = You get them
account-marketing-no = You do not get them

account-phone-change = Change phone number
account-phone-new = New phone number
account-phone-hint = We send a code to the new number. From then on you log in with it; the old one gets a last message, and all other devices are logged out.
account-email-change = Change e-mail address
account-email-new = New e-mail address
account-email-hint = We send a code to the new address. If there was another one, it gets a last message, and all other devices are logged out.
account-contact-same = This is the one you have already. Enter another.
account-contact-taken = This belongs to another account. Use another, or close that account first.
account-email-other = The address on your account is another one meanwhile. Ask for a code to that one.

account-password-lead = On all other devices you will be logged out.
account-password-since = Chosen on { $date }
account-password-none = None; you log in with codes
account-password-change = Change password
account-current-password = Present password
account-current-wrong = This is not your password. Type it again, or choose a new one under “Forgotten your password?”.

account-proof = Is it you?
account-proof-lead = Before you change something important, please confirm that it is you. It is good for ten minutes.
account-proof-sms = Code by text
account-proof-email = Code by e-mail
account-proof-locked = Too many wrong attempts. You can try again at { $time }.

account-two-step = Two-step verification
account-two-step-short = A code from an app, besides the password
account-two-step-lead = Besides your password we ask for a code that an app on your phone shows. Whoever steals your password cannot log in.
account-two-step-need = You need an authenticator app, such as Google Authenticator, Microsoft Authenticator, 1Password or the passwords app of your phone.
account-two-step-set-up = Set it up
account-two-step-set-up-title = Set up your authenticator app
account-two-step-scan = 1. Add { -brand } to your app
account-two-step-qr = QR code for the authenticator app
account-two-step-same-phone = Scan the code with the app. Is the app on this device?
account-two-step-open = Open the app
account-two-step-type = Or type this secret into it:
account-two-step-confirm = 2. Enter the code that it shows
account-two-step-turn-on = Turn it on
account-two-step-others = On all other devices you will be logged out.
account-two-step-wrong = This code is wrong. Enter the one that the app shows now, and check that the clock of your phone is right.
account-two-step-is-on = Two-step verification is on
account-two-step-off = Turn it off
account-two-step-off-title = Turn two-step verification off?
account-two-step-off-text = Then the password or a one-time code is enough to log in. Your recovery codes are no longer good, and on all other devices you will be logged out.
account-recovery-codes = Recovery codes
account-recovery-left = { $count ->
    [0] None is left. Make new ones now, so that you can log in without your app.
    [one] One is left. Make new ones soon.
   *[other] { $count } are left. Each lets you log in once without your app.
    }
account-recovery-new = Make new codes
account-recovery-new-title = Make new recovery codes?
account-recovery-new-text = The ones that you have are no longer good then.
account-recovery-lead = With one of these you log in when your app is not at hand. Each can be used once.
account-recovery-once = They are shown this once
account-recovery-once-text = Print them or keep them in a password manager; not on the phone with the app.
account-recovery-kept = I have kept them

account-devices = Devices
account-devices-count = { $count ->
    [one] Logged in here only
   *[other] Logged in on { $count } devices
    }
account-devices-lead = Where you are logged in. End what you do not know.
account-device-this = This device
account-device-seen = Last used { $when }
account-device-since = since { $date }
account-device-end = End this session
account-devices-end = End all others
account-devices-hint = Is there one that was never yours? Then change your password, too.

account-export = Get a copy of my data
account-export-lead = A file with everything that we keep about you, for you to read or to take elsewhere.
account-export-person = Name, contacts, settings, log-ins
account-export-purchases = Orders, bills, payment methods
account-export-use = Lines, balances, what was used on each day
account-export-messages = Messages and support tickets
account-export-do = Download (JSON)
account-export-safe = Whoever has the file knows a lot about you: keep it safe.

account-close = Close my account
account-close-lead = This cannot be undone. Please read what it means.
account-close-left = You still have something left
account-close-left-text = It is lost, and is not paid back. An unused plan can be given back under “Orders” first.
account-close-what = What happens
account-close-line = Your line stops at once; automatic renewal ends and stored payment methods are removed.
account-close-person = Your name, number, address and everything else about you is deleted.
account-close-bills = Bills and bookings are kept for as long as the law demands, under a number without your name.
account-close-back = You can register again with the same number; it will be a new account.
account-close-export = Get a copy of my data first
account-close-word = CLOSE
account-close-type = Type { $word } to confirm
account-close-do = Close my account for good
account-close-pending = A payment is still being confirmed. Please wait for its outcome, then close the account.
