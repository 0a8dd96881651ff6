# 账户与设置。
account-personal = 个人信息
account-safety = 登录与安全
account-purchases = 购买
account-data = 我的数据
account-none = 未设置
account-on = 已开启
account-off = 未开启
account-save = 保存
account-unconfirmed = 未验证
account-present = 当前

account-email-unconfirmed = 您的邮箱还没有验证
account-email-unconfirmed-text = 请验证 { $address }，以便接收账单，也可以用它登录。
account-email-send = 发送验证码

account-name-lead = 页面和消息中对您的称呼。
account-user-name = 用户名
account-user-name-lead = 除了手机号和邮箱，也可以用它登录。
account-user-name-hint = 3 到 32 位，可用字母 a–z、数字、点、下划线和连字符。留空表示不设置。
account-user-name-short = 用户名至少 3 个字符。
account-user-name-long = 用户名最多 32 个字符。
account-user-name-character = 用户名只能由字母 a–z、数字、点、下划线和连字符组成。
account-user-name-edge = 用户名必须以字母开头，以字母或数字结尾。
account-user-name-reserved = 这个用户名不可使用，请换一个。
account-user-name-taken = 这个用户名已被使用，请换一个。
account-language = 语言
account-language-lead = 用于页面和消息。
account-time-zone = 时区
account-time-zone-lead = 套餐到期等所有时间都按这个时区显示。
account-time-zone-now = 按您的时区，现在是 { $time }。
account-time-zone-browser = 使用此设备的时区
account-marketing = 优惠和新消息
account-marketing-lead = 与号码、订单和账户有关的消息不受影响。
account-marketing-yes = 接收
account-marketing-no = 不接收

account-phone-change = 更改手机号
account-phone-new = 新手机号
account-phone-hint = 我们会向新号码发送验证码。之后请用新号码登录；旧号码会收到最后一条通知，其他设备上的登录都会退出。
account-email-change = 更改邮箱
account-email-new = 新邮箱
account-email-hint = 我们会向新邮箱发送验证码，如果之前有邮箱，旧邮箱会收到最后一封通知，其他设备上的登录都会退出。
account-contact-same = 这就是您现在使用的，请输入另一个。
account-contact-taken = 它属于另一个账户。请换一个，或先注销那个账户。
account-email-other = 您账户上的邮箱已经换成另一个，请重新获取验证码。

account-password-lead = 更改后，其他设备上的登录都会退出。
account-password-since = 设置于 { $date }
account-password-none = 未设置，使用验证码登录
account-password-change = 更改密码
account-current-password = 当前密码
account-current-wrong = 密码不正确。请重新输入，或通过“忘记密码”设置新密码。

account-proof = 请确认是您本人
account-proof-lead = 更改重要信息之前，请确认是您本人操作。确认后十分钟内有效。
account-proof-sms = 短信验证码
account-proof-email = 邮箱验证码
account-proof-locked = 错误次数过多。请在 { $time } 后再试。

account-two-step = 两步验证
account-two-step-short = 除密码外，再输入应用中的验证码
account-two-step-lead = 除了密码，还需要输入手机应用中显示的验证码。即使密码被盗，别人也无法登录。
account-two-step-need = 您需要一个验证器应用，例如 Google Authenticator、Microsoft Authenticator、1Password，或手机自带的密码应用。
account-two-step-set-up = 开始设置
account-two-step-set-up-title = 设置验证器应用
account-two-step-scan = 1. 在应用中添加 { -brand }
account-two-step-qr = 供验证器应用扫描的二维码
account-two-step-same-phone = 请用应用扫描二维码。应用就在这台设备上？
account-two-step-open = 打开应用
account-two-step-type = 或者在应用中输入这个密钥：
account-two-step-confirm = 2. 输入应用中显示的验证码
account-two-step-turn-on = 开启
account-two-step-others = 开启后，其他设备上的登录都会退出。
account-two-step-wrong = 验证码不正确。请输入应用当前显示的验证码，并检查手机时间是否准确。
account-two-step-is-on = 两步验证已开启
account-two-step-off = 关闭两步验证
account-two-step-off-title = 要关闭两步验证吗？
account-two-step-off-text = 关闭后，仅凭密码或验证码就能登录。恢复代码将失效，其他设备上的登录都会退出。
account-recovery-codes = 恢复代码
account-recovery-left = { $count ->
    [0] 已经用完。请立即生成新的，否则没有应用就无法登录。
   *[other] 还剩 { $count } 个。没有应用时，每个可以登录一次。
    }
account-recovery-new = 生成新的恢复代码
account-recovery-new-title = 要生成新的恢复代码吗？
account-recovery-new-text = 您现有的恢复代码将全部失效。
account-recovery-lead = 验证器应用不在身边时，可以用恢复代码登录。每个只能使用一次。
account-recovery-once = 只显示这一次
account-recovery-once-text = 请打印出来，或保存在密码管理器中；不要存在装有应用的手机上。
account-recovery-kept = 我已保存

account-devices = 登录设备
account-devices-count = { $count ->
    [1] 只在这里登录
   *[other] 已在 { $count } 台设备上登录
    }
account-devices-lead = 您已登录的设备。如有不认识的，请立即结束。
account-device-this = 本设备
account-device-seen = 最近使用：{ $when }
account-device-since = 登录于 { $date }
account-device-end = 结束此会话
account-devices-end = 结束其他所有会话
account-devices-hint = 有不属于您的设备？请同时更改密码。

account-export = 导出我的数据
account-export-lead = 一个文件，包含我们保存的与您有关的全部信息，您可以查看或带到别处使用。
account-export-person = 姓名、联系方式、设置、登录记录
account-export-purchases = 订单、账单、付款方式
account-export-use = 号码、余额、每天的用量
account-export-messages = 消息和客服工单
account-export-do = 下载（JSON）
account-export-safe = 这个文件包含您的很多信息，请妥善保管。

account-close = 注销账户
account-close-lead = 注销后无法恢复。请先了解会发生什么。
account-close-left = 您还有余额没有用完
account-close-left-text = 注销后余额作废，不予退款。未使用的套餐可以先在“订单”中退订。
account-close-what = 注销之后
account-close-line = 您的号码立即停用；自动续订停止，已保存的付款方式被删除。
account-close-person = 您的姓名、号码、邮箱和其他个人信息都会删除。
account-close-bills = 账单和账目依法保留，只用编号，不含您的姓名。
account-close-back = 您可以用同一个号码重新注册，但那是一个新账户。
account-close-export = 先导出我的数据
account-close-word = 注销
account-close-type = 请输入“{ $word }”确认
account-close-do = 永久注销账户
account-close-pending = 还有一笔付款正在确认。请等结果出来后再注销。
