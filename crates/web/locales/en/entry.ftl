# Coming in: register, log in, codes, the second factor, a new password.
entry-register = Register
entry-register-lead = All it takes is a phone number. We send a code to confirm it.
entry-login = Log in
entry-back = Back
entry-or = or
entry-continue = Continue
entry-have-account = You have an account?
entry-no-account = No account yet?
entry-forgot = Forgotten your password?
entry-help = Help with logging in
entry-terms = By registering you accept our terms; how we use your data is explained under privacy.

entry-phone = Phone number
entry-phone-hint = Any country: choose the country code, or begin with +.
entry-name = Name
entry-name-hint = What we call you. Any name will do.
entry-email = E-mail address
entry-email-hint = For confirmations and bills; and to log in when your phone is not at hand.
entry-password = Password
entry-password-hint = At least 8 characters; longer is better than stranger.
entry-marketing = Send me offers and news
entry-marketing-hint = Now and then, never more than one a week. You can change your mind at any time.

entry-who = Phone number, e-mail address or user name
entry-who-code = Phone number or e-mail address
entry-who-hint = Numbers from abroad start with + and the country code.
entry-by-code = Log in with a one-time code
entry-by-password = Log in with a password instead
entry-send-code = Send me a code
entry-confirm-phone = Confirm your phone number
entry-confirm-email = Confirm your e-mail address
entry-code-sent = We sent a code to { $to }. It is valid for 5 minutes.
entry-code-label = Code of six digits
entry-no-code = No code?
entry-no-code-sms = Check that the number is yours. Phone switched on, in coverage? A text can take a minute.
entry-no-code-email = Check that the address is yours, and look in the folder for unwanted mail.
entry-again = Send another code
entry-again-in = { $seconds ->
    [one] You can ask for another code in { $seconds } second.
   *[other] You can ask for another code in { $seconds } seconds.
    }
entry-skip = Do it later
entry-skip-hint = You will find it under “Account”.

entry-recover = Forgotten password
entry-recover-lead = Tell us the phone number or e-mail address of your account. We send a code with which you choose a new password.
entry-recover-same = Whether there is an account is not shown here: only whoever reads the messages finds out.
entry-new-password = New password
entry-new-password-lead = Choose a new password. On all other devices you will be logged out.
entry-set-password = Set password

entry-second = Second step
entry-second-lead = Open your authenticator app and enter the code that it shows for { -brand }.
entry-second-label = Code from your app
entry-with-recovery = No phone at hand? Use a recovery code
entry-recovery-lead = Enter one of the recovery codes that you kept when you set this up. Each can be used once.
entry-recovery-label = Recovery code
entry-recovery-hint = Ten letters and digits, such as 7K2QD-M4XBP.
entry-with-app = Use your app instead
entry-second-lost = Neither app nor recovery codes?
entry-second-or-recovery = Code from your app, or a recovery code
entry-second-or-recovery-hint = Your account asks for a second step.

# What is refused, and what to do.
entry-phone-empty = Enter your phone number.
entry-phone-not-a-number = This is not a phone number. Enter digits only, such as 138 0013 8000.
entry-phone-country = Choose the country code, such as +86, or begin the number with + and its country code.
entry-phone-short = This phone number is too short. Check it digit by digit.
entry-phone-long = This phone number is too long. Check it digit by digit.
entry-phone-not-assigned = There is no such number in this country. Check the number and the country code.
entry-phone-not-mobile = This is not a mobile number. Enter one that can receive text messages.
entry-name-empty = Enter your name.
entry-name-long = This name is too long. Use at most 80 characters.
entry-name-unprintable = This name holds a character that cannot be shown. Type it again.
entry-name-link = A name cannot hold links or the signs < > @. Leave them out.
entry-bad-email = Enter a complete e-mail address, such as name@example.com.
entry-bad-email-optional = Enter a complete e-mail address, such as name@example.com, or leave it empty.
entry-bad-contact = This is not a complete phone number. Numbers from abroad start with + and the country code.
entry-who-empty = Tell us who you are.
entry-who-no-user-name = A code goes to a phone number or an e-mail address: enter one of them.
entry-password-empty = Enter your password.
entry-password-short = This password is too short. Use at least 8 characters.
entry-password-long = This password is too long. Use at most 128 characters.
entry-password-common = This password is one of the first that anybody would try. Choose another, such as a few words of your own.
entry-password-names-you = This password is made of your number, address or name. Choose another.
entry-busy = Many people are logging in right now. Please try again in a moment.
entry-wrong = The name or the password is wrong. Check both, or log in with a one-time code.
entry-locked = Too many wrong attempts. You can try again at { $time }; or log in with a one-time code now.
entry-locked-network = Too many wrong attempts came from your network. You can try again at { $time }; or use another network.
entry-too-often = Too many codes were asked for. You can ask for another at { $time }.
entry-too-often-network = Too many codes were asked for from your network. You can ask for another at { $time }, or from another network.
entry-code-form = Enter the six digits of the code.
entry-code-wrong = { $tries ->
    [0] This code is wrong, and that was the last try. Ask for another code.
    [one] This code is wrong. You can try once more.
   *[other] This code is wrong. You can try { $tries } more times.
    }
entry-code-expired = This code has expired. Ask for another one.
entry-code-no-tries = Too many wrong codes were typed. Ask for another one.
entry-code-used = This code was used already. Ask for another one.
entry-code-replaced = A newer code was sent. Enter the one that came last.
entry-code-unknown = This code can no longer be used. Ask for another one.
entry-second-wrong = This code is wrong or was used already. Wait for the next one in your app, and check that the clock of your phone is right.
entry-recovery-wrong = This recovery code is wrong or was used already. Try another one.
entry-second-or-recovery-wrong = This code is wrong or was used already. Wait for the next one in your app, or use another recovery code.
entry-second-locked = Too many wrong codes. You can try again at { $time }.

entry-account = Account
entry-orders = Orders
entry-methods = Payment methods
entry-renewal = Automatic renewal
entry-support = Contact us

# What was just done, told once on the next page.
done-start-over = That took too long, or was begun in another window. Please start again.
done-newer-code = A newer code was asked for in another window. Enter the one that came last.
done-code-sent-again = Another code is on its way. The earlier one is no longer good.
done-logged-out = You are logged out.
done-password-recovered = Your new password is set and you are logged in. On all other devices you were logged out.
done-email-confirmed = Your e-mail address is confirmed.
done-name-changed = Your name is changed.
done-user-name-changed = Your user name is changed.
done-user-name-removed = Your user name is removed.
done-phone-changed = Your phone number is changed. From now on you log in with the new one. On all other devices you were logged out.
done-email-changed = Your e-mail address is changed and confirmed.
done-language-changed = From now on we speak and write to you in English.
done-time-zone-changed = Your time zone is changed.
done-marketing-on = We will send you offers and news. You can stop that here at any time.
done-marketing-off = We send you no offers and news. Messages about your line and your orders still come.
done-password-changed = Your password is changed. On all other devices you were logged out.
done-second-factor-off = Two-step verification is off. On all other devices you were logged out.
done-device-ended = That device is logged out.
done-devices-ended = All other devices are logged out.
done-account-closed = Your account is closed. Thank you for having been with us.
