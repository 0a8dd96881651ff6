# The frame of a page: navigation, footer, error pages, times and units.
manifest-description = See what is left of your data, calls and texts, choose plans, find your bills.

nav-home = Home
nav-line = My line
nav-plans = Plans
nav-bills = Bills
nav-help = Help
nav-account = Account

console-name = Console
console-home = Overview
console-customers = Customers
console-orders = Orders
console-payments = Payments and refunds
console-tickets = Tickets
console-messages = Messages
console-jobs = Jobs
console-catalogue = Catalogue
console-audit = Audit log

frame-skip = Skip to content
frame-links = Quick links
frame-navigation = Main navigation
frame-footer = More
frame-login = Log in
frame-logout = Log out
frame-contact = Contact us
frame-terms = Terms of service
frame-privacy = Privacy
frame-other-language = 中文
frame-offline = You are offline. Balances and other things on this page may have changed meanwhile.

script-copied = Copied
script-busy = One moment…
script-show = Show
script-hide = Hide

error-bad-request = We could not understand this request
    .next = Please go back, check what you entered and try again.
error-forbidden = This page has expired, or is not yours to open
    .next = Please go back, reload the page and try again. If that does not help, log in again.
error-not-found = There is nothing here
    .next = The link may be wrong, or the page has moved. Start from the home page, or search in help.
error-method = This address cannot be opened like this
    .next = Please start from the home page and try again.
error-too-large = That is too large to send
    .next = Please shorten the text or choose a smaller file, then try again.
error-too-slow = Your request took too long to arrive
    .next = The connection may be weak. Please go back and try again.
error-address-too-long = This address is too long
    .next = Please start from the home page and try again.
error-unknown-kind = We cannot read what was sent
    .next = Please go back, reload the page and send the form again.
error-too-many = Too many attempts
    .next = { $minutes ->
        [one] To protect your account, please wait one minute and try again.
       *[other] To protect your account, please wait { $minutes } minutes and try again.
    }
error-internal = Something went wrong on our side
    .next = Please try again in a few minutes. A payment you have made is not lost; please do not pay twice. If it keeps happening, contact us and quote the reference below.
error-unavailable = The service is away for a moment
    .next = We are bringing it back. Please try again in a few minutes; you need not pay again.
error-home = Go to the home page
error-help = Look in help
error-reference = Reference

relative-now = just now
relative-in-minutes = { $count ->
    [one] in 1 minute
   *[other] in { $count } minutes
}
relative-minutes-ago = { $count ->
    [one] 1 minute ago
   *[other] { $count } minutes ago
}
relative-in-hours = { $count ->
    [one] in 1 hour
   *[other] in { $count } hours
}
relative-hours-ago = { $count ->
    [one] 1 hour ago
   *[other] { $count } hours ago
}
relative-in-days = { $count ->
    [one] tomorrow
   *[other] in { $count } days
}
relative-days-ago = { $count ->
    [one] yesterday
   *[other] { $count } days ago
}

# Units; the number is set apart.
unit-minutes = { $count ->
   *[other] min
}
unit-seconds = { $count ->
   *[other] s
}
unit-messages = { $count ->
    [one] text
   *[other] texts
}

offline-title = You are offline
offline-lead = This page comes back by itself when you are connected again.
offline-kept = These pages are kept on this device and open without a network:
legal-updated = Provided by { $entity }
