code-subject = { $brand } 验证码 { $code }
code-body = 您的 { $brand } 验证码是 { $code }，{ $minutes } 分钟内有效。

    如果不是您本人操作，请忽略此消息。{ $brand } 的工作人员绝不会向您索要验证码。
code-sms = 【{ $brand }】验证码 { $code }，{ $minutes } 分钟内有效。请勿告诉任何人。
account-exists-subject = 您已有 { $brand } 账户
account-exists-body = 有人（很可能是您本人）用此联系方式注册 { $brand }。该联系方式已有账户，因此未作任何更改。

    请直接登录；若忘记密码，请选择“忘记密码”： { $url }
account-exists-sms = 【{ $brand }】该号码已有账户，请登录或找回密码： { $url }
security-change-subject = 您的 { $brand } 账户有变更
security-change-body = 您的账户已变更：{ $what }。

    如果是您本人操作，无需处理。如果不是，请立即找回密码并联系我们： { $url }
security-change-sms = 【{ $brand }】账户变更：{ $what }。非本人操作请访问 { $url }
order-confirmed-subject = 已支付 { $total }：{ $plan }
order-confirmed-body = 谢谢！我们已收到您的付款 { $total }，套餐已就绪。

    套餐：{ $plan }
    开始：{ $start }
    结束：{ $end }
    订单：{ $order }

    { $first ->
        [yes] 下一步，安装 eSIM： { $esim }
       *[no] 无需其他操作。
    }

    查看账单与详情： { $url }
order-confirmed-sms = 【{ $brand }】已收到 { $total }。{ $plan }，有效至 { $end }。 { $url }{ $first ->
        [yes] { " " }请安装 eSIM： { $esim }
       *[no] { "" }
    }
payment-failed-subject = { $total } 付款未成功
payment-failed-body = 订单 { $order } 的付款 { $total } 未成功：{ $reason }

    没有扣款，订单已为您保留。请换一种方式付款： { $url }
payment-failed-sms = 【{ $brand }】付款 { $total } 未成功。{ $reason }订单已保留： { $url }
refund-subject = { $total } 正在退回
refund-body = 订单 { $order } 的 { $total } 正按原付款方式退回，银行入账需要 1 至 10 天。
refund-sms = 【{ $brand }】订单 { $order } 的 { $total } 正在退回。
ends-soon-subject = 您的套餐将在 { $days } 天后到期
ends-soon-body = 您的套餐将于 { $end } 到期。现在续订，服务不会中断，剩余用量在到期前仍可使用。

    续订： { $url }
ends-soon-sms = 【{ $brand }】您的套餐将于 { $end } 到期，请及时续订： { $url }
ended-subject = 您的套餐已到期
ended-body = 您的套餐已到期。线路和号码为您保留至 { $until }。

    续订后立即恢复服务： { $url }
ended-sms = 【{ $brand }】套餐已到期，线路保留至 { $until }。续订： { $url }
suspended-subject = 您的线路已停机
suspended-body = 由于未续订套餐，您的线路已停机。购买任一套餐后立即恢复。

    续订： { $url }
suspended-sms = 【{ $brand }】您的线路已停机，续订后立即恢复： { $url }
used-subject = { $service }已使用 { $percent }%
used-body = 您的{ $service }已使用 { $percent }%，剩余 { $left }。

    查看余量或加购： { $url }
used-sms = 【{ $brand }】{ $service }已使用 { $percent }%，剩余 { $left }。 { $url }
renewal-notice-subject = 套餐将于 { $date } 自动续订，{ $total }
renewal-notice-body = 我们将于 { $date } 从 { $method } 扣款 { $total }，为您续订将于 { $end } 到期的套餐。

    如同意，无需操作。关闭自动续订： { $url }
renewal-notice-sms = 【{ $brand }】将于 { $date } 从 { $method } 扣款 { $total } 续订套餐。关闭： { $url }
renewal-failed-subject = 套餐自动续订未成功
renewal-failed-body = 套餐自动续订未成功：{ $reason }

    套餐将于 { $end } 到期。换一种方式付款即可不中断服务： { $url }
renewal-failed-sms = 【{ $brand }】自动续订未成功。{ $reason }套餐将于 { $end } 到期： { $url }
ticket-answered-subject = 您的问题 { $ticket } 已回复
ticket-answered-body = 您的问题 { $ticket } 有了新的回复： { $url }
ticket-answered-sms = 【{ $brand }】您的问题 { $ticket } 已回复： { $url }
identity-decided-subject = 身份核验结果
identity-decided-body = { $outcome ->
    [approved] 您的身份核验已通过，套餐可以激活。
   *[other] 您的身份核验未通过，可以重新提交。
 }

    详情： { $url }
identity-decided-sms = { $outcome ->
    [approved] 【{ $brand }】身份核验已通过。 { $url }
   *[other] 【{ $brand }】身份核验未通过，请重新提交： { $url }
 }
