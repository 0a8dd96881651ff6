inbox-title = 演示收件箱
inbox-lead = 演示中“发出”的短信和邮件都在这里。
inbox-empty = 还没有消息。注册或下单后再来看看。
inbox-sms = 短信
inbox-email = 邮件
