# 登录与注册：验证码、两步验证、重设密码。
entry-register = 注册
entry-register-lead = 只需一个手机号。我们会发送验证码确认。
entry-login = 登录
entry-back = 返回
entry-or = 或
entry-continue = 继续
entry-have-account = 已有账户？
entry-no-account = 还没有账户？
entry-forgot = 忘记密码？
entry-help = 登录遇到问题
entry-terms = 注册即表示您接受服务条款；我们如何使用您的信息，请看隐私说明。

entry-phone = 手机号
entry-phone-hint = 支持所有国家和地区：选择国家代码，或以 + 开头输入完整号码。
entry-name = 姓名
entry-name-hint = 我们对您的称呼，可以不是真名。
entry-email = 电子邮箱
entry-email-hint = 用于接收确认和账单；手机不在身边时也可以用来登录。
entry-password = 密码
entry-password-hint = 至少 8 个字符，越长越安全。
entry-marketing = 给我发送优惠和新消息
entry-marketing-hint = 偶尔发送，每周最多一次，随时可以取消。

entry-who = 手机号、邮箱或用户名
entry-who-code = 手机号或邮箱
entry-who-hint = 境外号码请以 + 和国家代码开头。
entry-by-code = 用验证码登录
entry-by-password = 改用密码登录
entry-send-code = 发送验证码
entry-confirm-phone = 验证手机号
entry-confirm-email = 验证邮箱
entry-code-sent = 验证码已发送至 { $to }，5 分钟内有效。
entry-code-label = 六位验证码
entry-no-code = 没收到验证码？
entry-no-code-sms = 请确认号码无误、手机已开机且有信号。短信可能需要一分钟才到。
entry-no-code-email = 请确认邮箱无误，并查看垃圾邮件。
entry-again = 重新发送验证码
entry-again-in = { $seconds ->
   *[other] { $seconds } 秒后可以重新获取。
    }
entry-skip = 以后再说
entry-skip-hint = 以后可以在“账户”中验证。

entry-recover = 忘记密码
entry-recover-lead = 请输入账户的手机号或邮箱。我们会发送验证码，您可以用它设置新密码。
entry-recover-same = 这里不会显示该号码或邮箱是否有账户，只有收到消息的人才知道。
entry-new-password = 新密码
entry-new-password-lead = 请设置新密码。其他设备上的登录都会退出。
entry-set-password = 设置密码

entry-second = 两步验证
entry-second-lead = 请打开验证器应用，输入其中 { -brand } 的验证码。
entry-second-label = 应用中的验证码
entry-with-recovery = 手机不在身边？使用恢复代码
entry-recovery-lead = 请输入开启两步验证时保存的恢复代码。每个代码只能使用一次。
entry-recovery-label = 恢复代码
entry-recovery-hint = 十位字母和数字，例如 7K2QD-M4XBP。
entry-with-app = 改用验证器应用
entry-second-lost = 应用和恢复代码都没有？
entry-second-or-recovery = 应用中的验证码，或恢复代码
entry-second-or-recovery-hint = 您的账户开启了两步验证。

# 被拒绝的原因，以及怎么办。
entry-phone-empty = 请输入手机号。
entry-phone-not-a-number = 这不是手机号。请只输入数字，例如 138 0013 8000。
entry-phone-country = 请选择国家代码，例如 +86；或以 + 和国家代码开头输入号码。
entry-phone-short = 手机号位数不够，请逐位检查。
entry-phone-long = 手机号位数太多，请逐位检查。
entry-phone-not-assigned = 该国家或地区没有这样的号码。请检查号码和国家代码。
entry-phone-not-mobile = 这不是手机号。请输入能接收短信的号码。
entry-name-empty = 请输入姓名。
entry-name-long = 姓名太长，最多 80 个字符。
entry-name-unprintable = 姓名中有无法显示的字符，请重新输入。
entry-name-link = 姓名中不能有链接或 < > @ 符号，请删除。
entry-bad-email = 请输入完整的邮箱，例如 name@example.com。
entry-bad-email-optional = 请输入完整的邮箱，例如 name@example.com，或留空。
entry-bad-contact = 这不是完整的手机号。境外号码请以 + 和国家代码开头。
entry-who-empty = 请输入您的账户。
entry-who-no-user-name = 验证码只能发送到手机号或邮箱，请输入其中一个。
entry-password-empty = 请输入密码。
entry-password-short = 密码太短，至少 8 个字符。
entry-password-long = 密码太长，最多 128 个字符。
entry-password-common = 这个密码太常见，别人很容易猜到。请换一个，例如几个您自己想的词。
entry-password-names-you = 密码中有您的号码、邮箱或用户名。请换一个。
entry-busy = 登录人数较多，请稍后再试。
entry-wrong = 账户或密码不正确。请检查，或改用验证码登录。
entry-locked = 错误次数过多。请在 { $time } 后再试，或现在用验证码登录。
entry-locked-network = 您所在的网络错误次数过多。请在 { $time } 后再试，或换一个网络。
entry-too-often = 获取验证码过于频繁。请在 { $time } 后再获取。
entry-too-often-network = 您所在的网络获取验证码过于频繁。请在 { $time } 后再获取，或换一个网络。
entry-code-form = 请输入六位数字的验证码。
entry-code-wrong = { $tries ->
    [0] 验证码不正确，次数已用完。请重新获取。
   *[other] 验证码不正确，还可以再试 { $tries } 次。
    }
entry-code-expired = 验证码已过期，请重新获取。
entry-code-no-tries = 错误次数过多，请重新获取验证码。
entry-code-used = 这个验证码已经用过，请重新获取。
entry-code-replaced = 已发送了新的验证码，请输入最后收到的那个。
entry-code-unknown = 这个验证码已失效，请重新获取。
entry-second-wrong = 验证码不正确或已经用过。请等应用中出现下一个，并检查手机时间是否准确。
entry-recovery-wrong = 恢复代码不正确或已经用过，请换一个。
entry-second-or-recovery-wrong = 验证码不正确或已经用过。请等应用中出现下一个，或换一个恢复代码。
entry-second-locked = 错误次数过多。请在 { $time } 后再试。

entry-account = 账户
entry-orders = 订单
entry-methods = 付款方式
entry-renewal = 自动续订
entry-support = 联系我们

# 刚刚完成的操作，在下一页显示一次。
done-start-over = 操作已超时，或在另一个窗口中进行。请重新开始。
done-newer-code = 您在另一个窗口中获取了新的验证码，请输入最后收到的那个。
done-code-sent-again = 新的验证码已发送，之前的已失效。
done-logged-out = 您已退出登录。
done-password-recovered = 新密码已设置，您已登录。其他设备上的登录都已退出。
done-email-confirmed = 邮箱已验证。
done-name-changed = 姓名已更改。
done-user-name-changed = 用户名已更改。
done-user-name-removed = 用户名已删除。
done-phone-changed = 手机号已更改。今后请用新号码登录。其他设备上的登录都已退出。
done-email-changed = 邮箱已更改并验证。
done-language-changed = 今后的页面和消息都使用简体中文。
done-time-zone-changed = 时区已更改。
done-marketing-on = 我们会给您发送优惠和新消息，您随时可以在这里取消。
done-marketing-off = 我们不再给您发送优惠和新消息。与号码和订单有关的消息仍会发送。
done-password-changed = 密码已更改。其他设备上的登录都已退出。
done-second-factor-off = 两步验证已关闭。其他设备上的登录都已退出。
done-device-ended = 该设备已退出登录。
done-devices-ended = 其他设备都已退出登录。
done-account-closed = 您的账户已注销。感谢您的使用。
