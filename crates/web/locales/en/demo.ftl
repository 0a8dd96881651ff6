inbox-title = Demo inbox
inbox-lead = Every SMS and e-mail the demo "sends" lands here.
inbox-empty = Nothing yet. Register or place an order, then look again.
inbox-sms = SMS
inbox-email = E-mail
