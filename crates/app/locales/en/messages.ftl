code-subject = { $code } is your { $brand } code
code-body = Your { $brand } code is { $code }. It is valid for { $minutes } minutes.

    If you did not ask for it, ignore this message. Nobody from { $brand } will ever ask you for a code.
code-sms = { $code } is your { $brand } code, valid for { $minutes } minutes. Do not share it with anyone.
account-exists-subject = You already have a { $brand } account
account-exists-body = Somebody, probably you, tried to register with { $brand } using this contact. It already has an account, so nothing was changed.

    Log in, or choose "forgotten password" if you do not remember it: { $url }
account-exists-sms = { $brand }: this number already has an account. Log in or recover your password: { $url }
security-change-subject = Your { $brand } account was changed
security-change-body = This was changed on your account: { $what }.

    If it was you, there is nothing to do. If not, recover your password now and contact us: { $url }
security-change-sms = { $brand }: changed on your account: { $what }. Not you? { $url }
order-confirmed-subject = Paid: { $plan }, { $total }
order-confirmed-body = Thank you. Your payment of { $total } has arrived and your plan is ready.

    Plan: { $plan }
    Starts: { $start }
    Ends: { $end }
    Order: { $order }

    { $first ->
        [yes] Next, install your eSIM: { $esim }
       *[no] There is nothing else to do.
    }

    Your bill and everything else: { $url }
order-confirmed-sms = { $brand }: { $total } received. { $plan }, until { $end }. { $url }{ $first ->
        [yes] { " " }Install your eSIM: { $esim }
       *[no] { "" }
    }
payment-failed-subject = Your payment of { $total } did not go through
payment-failed-body = Your payment of { $total } for order { $order } did not go through: { $reason }

    Nothing was charged and your order is kept. Choose another way to pay: { $url }
payment-failed-sms = { $brand }: payment of { $total } failed. { $reason } Your order is kept: { $url }
refund-subject = { $total } is on its way back to you
refund-body = We are returning { $total } for order { $order } to the way you paid. Banks need one to ten days to show it.
refund-sms = { $brand }: { $total } for order { $order } is being returned to you.
ends-soon-subject = Your plan ends in { $days } days
ends-soon-body = Your plan ends on { $end }. Renew it now and nothing is interrupted: what you have left stays yours until then.

    Renew: { $url }
ends-soon-sms = { $brand }: your plan ends on { $end }. Renew in time: { $url }
ended-subject = Your plan has ended
ended-body = Your plan has ended. Your line and your number are kept for you until { $until }.

    Renew to be back in service at once: { $url }
ended-sms = { $brand }: your plan has ended. Your line is kept until { $until }. Renew: { $url }
suspended-subject = Your line is suspended
suspended-body = Your line is out of service because its plan was not renewed. Pay for a plan and it is back at once.

    Renew: { $url }
suspended-sms = { $brand }: your line is suspended. Renew to reactivate it: { $url }
used-subject = { $percent } % of your { $service } is used
used-body = You have used { $percent } % of your { $service }; { $left } is left.

    See what is left, or add more: { $url }
used-sms = { $brand }: { $percent } % of your { $service } is used, { $left } left. { $url }
renewal-notice-subject = Your plan renews on { $date } for { $total }
renewal-notice-body = On { $date } we will charge { $total } to { $method } to renew your plan, which otherwise ends on { $end }.

    Nothing to do if that is what you want. To turn automatic renewal off: { $url }
renewal-notice-sms = { $brand }: on { $date } we charge { $total } to { $method } to renew your plan. Turn off: { $url }
renewal-failed-subject = Your plan could not be renewed
renewal-failed-body = The automatic renewal of your plan failed: { $reason }

    Your plan ends on { $end }. Choose another way to pay and nothing is interrupted: { $url }
renewal-failed-sms = { $brand }: automatic renewal failed. { $reason } Your plan ends on { $end }: { $url }
ticket-answered-subject = We have answered your question { $ticket }
ticket-answered-body = There is an answer to your question { $ticket }: { $url }
ticket-answered-sms = { $brand }: we have answered your question { $ticket }: { $url }
identity-decided-subject = Your identity check
identity-decided-body = { $outcome ->
    [approved] Your identity check is complete. Your plan can be activated.
   *[other] Your identity check could not be completed. You can try again.
 }

    Details: { $url }
identity-decided-sms = { $outcome ->
    [approved] { $brand }: your identity check is complete. { $url }
   *[other] { $brand }: your identity check could not be completed. Try again: { $url }
 }
