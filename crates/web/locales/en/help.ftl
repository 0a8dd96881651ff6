# The help centre. Articles are plain text with a small markup, see src/help/markup.rs:
# "## " heading, "- " list, "1. " steps, "! " notice, **strong**, [link](/path).
# .words are further words people search for.

help-title = Help
help-search = What do you need help with?
help-found = { $count ->
    [one] 1 answer for “{ $query }”
   *[other] { $count } answers for “{ $query }”
}
help-nothing = No answer for “{ $query }”
help-nothing-next = Try one or two other words, such as “code”, “bill” or “data”. Or ask us.
help-all = All topics
help-related = Related
help-person = Still stuck?
help-person-text = A person will look at it with you.
help-group-account = Logging in and account
help-group-paying = Paying and bills
help-group-using = Using your line

help-login = I cannot log in
    .summary = No code, wrong password, locked, or the page does not load.
    .words = sign in signin login password forgot forgotten recover code otp sms verification locked expired wrong
    .body =
        Three things usually help: check that the number starts with the right country code, ask for a new code, and use the newest message only.

        ## The code does not arrive

        - Wait one minute; a new code can be asked for once a minute, five times an hour and ten times a day.
        - Look at the number on the page: only its last digits are shown. If they are not yours, go back and enter it again.
        - Phone switched on, in coverage, with free memory? Messages from unknown senders may be in a separate folder.
        - Choose e-mail instead, if you have confirmed an address.

        ## The code is refused

        A code lasts five minutes and can be tried five times. A newer code makes the older one void, so enter the one that came last. Spaces do not matter.

        ## I have forgotten my password

        Log in with a one-time code instead, or set a new password through [Forgotten password](/recover). You need the phone or the e-mail address of the account. If you have turned on [two-step verification](/account/two-step), you need the code of your app too, or a recovery code.

        ## It says “too many wrong attempts”

        That protects you from people who guess. Wait for the time shown on the page; trying again earlier does not shorten it.

        ## I no longer have that phone

        If you can still log in otherwise, see [changing your phone number](/help/number). If not, [contact us](/help/contact) from the e-mail address of the account; we check who you are before we change anything.

        ! We never call to ask for a code. Whoever asks you for one wants your account.

help-payment = My payment failed
    .summary = What the reasons mean, and how to try again without paying twice.
    .words = pay paid card declined refused insufficient funds limit bank alipay wechat charged twice double pending confirm order checkout
    .body =
        Your order stays open for a while after a failed payment. Open it under [Bills](/bills) and try again; you can choose another method, and you need not start from the beginning.

        ## What the page says, and what to do

        - **Not enough funds**: top the account up, or choose another method.
        - **Limit exceeded**: the bank or wallet allows no more today or this month. Raise the limit there, or use another method.
        - **Card expired** or **details wrong**: check number, date and security code, or add the new card.
        - **Your bank wants a confirmation**: try again and confirm in the bank's own app or page. It must be done while that page is open.
        - **The bank refused**: only the bank can say why. The number is on the back of the card.
        - **Not supported**: this card or currency cannot be used here.

        ## It says “we are confirming your payment”

        The answer of the bank or wallet is late. Please do not pay again: as soon as the answer is there, the page changes and you get a message. If the money did arrive after the order was closed, it goes back by itself.

        ## I was charged, but have no plan

        Look at [Bills](/bills) first. If the order is not there as paid, the bank has often only reserved the amount and releases it within days. If it is paid but the plan is missing after an hour, [contact us](/help/contact) with the order number.

help-bills = Where are my bills?
    .summary = Find, print and download what you have paid.
    .words = bill bills invoice invoices receipt receipts tax vat history order orders refund credit note download csv pdf
    .body =
        Under [Bills](/bills) is every order with its date, its items, its price with tax, and its state. Each paid order has an invoice that you can read, print or save as a PDF file. The whole list can be saved as a table (CSV).

        - The receipt also goes to your e-mail address, if you have confirmed one. Not there? Look in the folder for unwanted mail.
        - A refund has a credit note of its own, next to the bill that it belongs to.
        - Times are shown in your own time zone, which you choose under [Account](/account).

        ## Something on the bill is wrong

        Write to us through [contact](/help/contact) with the number of the bill. A bill that has been issued is never changed; we correct it with a credit note and a new one.

help-esim = Installing an eSIM
    .summary = What you need, the steps on iPhone, Android and HarmonyOS, and what not to do.
    .words = esim sim install qr code scan activate activation profile iphone ios android harmonyos download
    .body =
        An eSIM is a SIM card without the card: your phone downloads it. It takes about five minutes. Everything you need is on the page [Your eSIM](/line/esim).

        ## Before you begin

        - The phone must support eSIM. Dial *#06#: if a number called EID is shown, it does. More in [Which phones can use it](/help/esim-phones).
        - You need Wi-Fi or another working line, and enough battery.

        ## iPhone

        1. Open [Your eSIM](/line/esim) in Safari on the iPhone and press “Install on iPhone” (iOS 17.4 or later). On an older iOS, open the page on another screen and scan its code: Settings, Mobile Service, Add eSIM, Use QR Code.
        2. Follow the steps until it says that the eSIM was added.
        3. In Settings, Mobile Service, switch the new line on. Abroad, switch Data Roaming on for it.

        ## Android

        1. Open [Your eSIM](/line/esim) on the phone and press “Install on Android” (Android 10 or later). If nothing happens: Settings, Network and internet (Samsung: Connections), SIMs, Add eSIM, and scan the code from another screen.
        2. Wait until the phone says that the eSIM was added.
        3. Switch the SIM on, choose it for mobile data, and abroad switch Roaming on.

        ## HarmonyOS

        1. Open Settings, Mobile network, and look for eSIM. If there is no such entry, this phone has none.
        2. Choose to add one and scan the code of [Your eSIM](/line/esim) from another screen, or type in address and code.
        3. Switch it on, choose it for mobile data, and abroad switch roaming on.

        ! Do not delete the eSIM to “try again”. Until it is installed, the same code works again on the same phone. If it does not, see [It cannot be installed](/help/esim-trouble).

help-esim-phones = Which phones can use an eSIM
    .summary = How to find out in ten seconds, and what to do with a phone that has none.
    .words = compatible compatibility support supported supports lock locked unlocked huawei honor xiaomi oppo vivo samsung apple china mainland hongkong model eid euicc
    .body =
        ## Find out

        1. Dial *#06# on the phone.
        2. If a number of 32 digits called **EID** is shown, the phone has an eSIM chip. If only IMEI is shown, it has none.
        3. In the settings, under “About”, the phone must not be locked to another operator: “No SIM restrictions” or “Network unlocked”.

        ## Phones made for mainland China

        Most phones sold in mainland China have no eSIM, whatever the same model has elsewhere: this holds for iPhones with two card trays, for most HarmonyOS phones, and for many Android phones. The newest models with eSIM may accept operators of mainland China only. iPhones from Hong Kong and Macao with room for two cards have none either. A phone bought abroad keeps its eSIM in China.

        ## My phone has none

        - Use it on another device: a second phone or a tablet with eSIM, which then shares its connection as a hotspot.
        - There are cards with an eSIM chip that fit into a card tray and are filled with an app on Android. We cannot promise that a particular one works.
        - Not used yet? An unused plan can be given back, see [Bills](/bills).

help-esim-trouble = The eSIM cannot be installed
    .summary = What the phone's messages mean, and what to do about each.
    .words = failed fails error cannot add invalid already used belongs interrupted memory full expired confirmation confirm not possible unable
    .body =
        Nothing is lost: your number and your plan stay as they are, whatever happens while installing. [Your eSIM](/line/esim) shows what the phone reported.

        ## What the phone says

        - **The download broke off**, or **no connection**: go to better Wi-Fi and use the same code again on the same phone.
        - **Code already used**, or **belongs to another device**: a code works on the first phone that used it only. For another phone, get a new one under [Your eSIM](/line/esim), “Move to a new phone”.
        - **Code no longer valid**: it expired, or failed too often. [Your eSIM](/line/esim) offers a new one.
        - **Not enough memory**: delete an eSIM on the phone that you no longer need, then use the same code again.
        - **Not supported**, or **not allowed**: see [Which phones can use it](/help/esim-phones). A phone locked to another operator must be unlocked by that operator.
        - **Cannot add right now**: restart the phone, install its updates, and try again.

        ## It asks for a confirmation code

        Usually there is none, and the field is left empty. If your eSIM has one, [Your eSIM](/line/esim) says so. A confirmation code is not your password and not a code from a text message. After several wrong tries the activation code becomes void; [contact us](/help/contact) then.

        ## Installed, but no service

        Switch the line on, abroad also data roaming, then aeroplane mode on, ten seconds, off. Still nothing: see [no data abroad](/help/no-data).

help-esim-move = A new phone, or the eSIM was deleted
    .summary = How to take your number to another phone, and how to get a deleted eSIM back.
    .words = new phone switch device transfer move deleted delete mistake accident removed reset factory broken replaced again reissue old
    .body =
        Your number, your plan and what is left of it belong to your line, not to the phone. A new eSIM is free, several times a year.

        ## To a new phone

        1. Have both phones at hand, and Wi-Fi for the new one. Check that the new one [can use an eSIM](/help/esim-phones).
        2. Open [Your eSIM](/line/esim) and choose “Move to a new phone”. We ask again who you are.
        3. The old eSIM becomes void at once; install the new one on the new phone.
        4. When the new phone is in service, delete the old eSIM on the old phone.

        ! The phone's own “transfer eSIM” does not work with every operator. Use the way above.

        ## Deleted by mistake, or the phone was reset

        Open [Your eSIM](/line/esim). It says “Deleted” once the phone has reported it, and offers a new one. If it does not say so yet, choose “Move to a new phone”, also for the same phone.

        ## The phone was lost or stolen

        Choose “Move to a new phone” from any other device: the eSIM in the lost phone becomes void. If you cannot log in without that phone, [contact us](/help/contact).

help-no-data = No data abroad
    .summary = Four settings, in the order in which they usually help.
    .words = roaming data internet abroad travel no connection slow apn network offline country signal airplane aeroplane
    .body =
        Go through these in order; most people are online after the second.

        1. **Is the country in your plan?** Open [My line](/line) and look at where the plan is valid and whether data is left.
        2. **Data roaming on.** In the settings of this line, switch on data roaming. It costs nothing extra in the countries of your plan.
        3. **The right line for data.** With two lines in the phone, choose this one for mobile data, and switch off roaming for the other, so that your home operator charges nothing.
        4. **Aeroplane mode on, ten seconds, off.** The phone then looks for a network anew. Give it two minutes.

        ## Still nothing

        - Choose a network by hand: settings, network, automatic off, then another name from the list.
        - Restart the phone.
        - Look at the access point name (APN). Usually it sets itself; if it is empty, [ask us](/help/contact) for it.

        ! Already bought the plan but not yet landed? A plan starts as its page says: at once, on first use, or on the day you chose.

help-keep-going = Avoiding interruption
    .summary = Renew in time, by hand or automatically, and keep what is left.
    .words = renew renewal expire expiry expired end auto automatic reminder interruption stop suspended grace reactivate
    .body =
        A line stops when its plan ends or its data is used up. These keep it going.

        ## Renew early: nothing is lost

        When you renew, you choose. The end date is shown before you pay, in your time zone.

        - **Add to my current plan**: what is left stays, and the end moves.
        - **When my current plan ends**: the new one waits and starts by itself.
        - **Now**: the new one starts at once.

        ## Let it renew by itself

        Switch on automatic renewal under [My line](/line). Before every payment you get a message with the amount, the date and the method, and one tap switches it off. If the payment fails, we tell you and try again later.

        ## Reminders

        You get a message 7, 3 and 1 day before the end, and when 80, 90 and 100 % of an allowance are used. Check under [Account](/account) that your phone number and e-mail address are right.

        ## The line is already suspended

        Pay as usual; it comes back within minutes. Restart the phone if it does not show a network.

help-saving = Saving money
    .summary = Longer terms, the right size, promotions, and Wi-Fi.
    .words = cheap cheaper price discount promotion promo code coupon save saving term year builder bundle
    .body =
        - **Take the plan that fits.** [My line](/line) shows how much you really used. With much left every month, a smaller plan is enough.
        - **Leave out roaming.** Plans for home only cost less; add a travel plan when you go.
        - **Take a longer term.** 3 or 12 periods at once cost less for each.
        - **Build your own.** The [plan builder](/plans) prices exactly as much data, calls and texts as you want.
        - **Use a code.** Enter a promotion code at checkout; whether it counts is shown before you pay. A code has a period and a limit, and not every two go together.
        - **Use Wi-Fi for the large things.** Updates, photo backups and films are most of what people use. Switch them to Wi-Fi only.

        What is left when a plan ends is lost, unless you add the next plan to it. See [avoiding interruption](/help/keep-going).

help-number = Changing my phone number
    .summary = The number you log in with, an e-mail address, or a phone that is lost.
    .words = change number phone contact update lost stolen port new sim email address
    .body =
        This is about the number that you log in with and that gets our messages.

        1. Open [Account](/account) and choose the phone number.
        2. If you logged in more than ten minutes ago, confirm that it is you: with your password, a code, or your authenticator app.
        3. Enter the new number and the code that it receives.

        From then on you log in with the new number; the old one gets a last message. Other devices stay logged in; you can end them under [Devices](/account/devices).

        ## I no longer have the old number

        That is why we ask for a second way: log in with your e-mail address or password. If neither works, [contact us](/help/contact). We check your identity first, and this may take a day; it keeps others from taking your account.

        ## The phone is stolen

        Log in from another device, open [Devices](/account/devices), and end the session of the lost one. Then contact us, so that we can block the line.

help-identity = Identity check
    .summary = When it is needed, what to have ready, what happens to the documents.
    .words = identity id passport kyc verify verification document documents real name check rejected refused selfie privacy
    .body =
        Some countries demand that an operator knows who uses a line. Whether your plan needs a check is shown on the plan's page, before you pay.

        ## What you need

        - A passport or identity card that is still valid, with all four corners in the picture and no glare.
        - The name exactly as in the document.
        - About five minutes.

        ## How long it takes

        The online check mostly takes minutes; when our staff looks at documents, usually less than one working day. The state is shown under [Identity check](/identity). The check comes before the payment: what you chose is kept, and you go on from there.

        ## It was refused

        The reason is shown. Usually the picture is blurred, the document has expired, or the name differs. Put it right and try again as often as you need, or [contact us](/help/contact). Nothing is charged before the check is passed.

        ## Your documents

        They are encrypted, opened only by those who check them, and every opening is recorded. They are deleted automatically; the date stands on the page [Identity check](/identity). See [privacy](/legal/privacy).

help-contact = Contact a person
    .summary = Write, call, or open a ticket; we answer in Chinese and English.
    .words = contact support agent human person chat call phone email ticket complaint help hotline
    .body =
        The quickest way with an answer you can come back to is a [support ticket](/support): it shows us your line and your orders, so you need not explain them.

        - E-mail: [{ $email }](mailto:{ $email })
        - Phone: [{ $phone }](tel:{ $dial })
        - Somebody answers { $hours }.

        ## What helps us to help you

        - The order number or the number of the bill, if it is about a payment.
        - The country and the time, if it is about the network.
        - What the page said; a picture of it is fine.

        ! Please never send a password or a one-time code. We do not ask for them.
