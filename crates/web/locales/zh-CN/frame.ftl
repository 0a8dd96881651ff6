# 页面框架：导航、页脚、错误页、时间与单位。
manifest-description = 查看流量、语音和短信余额，选择套餐，查看账单。

nav-home = 首页
nav-line = 我的号码
nav-plans = 套餐
nav-bills = 账单
nav-help = 帮助
nav-account = 账户

console-name = 运营后台
console-home = 概览
console-customers = 客户
console-orders = 订单
console-payments = 付款与退款
console-tickets = 工单
console-messages = 消息
console-jobs = 任务
console-catalogue = 产品目录
console-audit = 操作记录

frame-skip = 跳到正文
frame-links = 快捷链接
frame-navigation = 主导航
frame-footer = 更多
frame-login = 登录
frame-logout = 退出登录
frame-contact = 联系我们
frame-terms = 服务条款
frame-privacy = 隐私说明
frame-other-language = English
frame-offline = 您现在没有网络，页面上的余额等内容可能已经变化。

script-copied = 已复制
script-busy = 请稍候…
script-show = 显示
script-hide = 隐藏

error-bad-request = 这个请求我们看不懂
    .next = 请返回上一页，检查填写的内容后再试一次。
error-forbidden = 这个页面已过期，或者您没有权限打开
    .next = 请返回上一页并刷新，然后再试一次。如果还不行，请重新登录。
error-not-found = 这里没有内容
    .next = 链接可能写错了，或者内容已经移走。可以回到首页，或在帮助中搜索。
error-method = 这个地址不能这样打开
    .next = 请从首页重新进入，再次操作。
error-too-large = 提交的内容太大
    .next = 请缩短文字，或换一个小一些的文件，然后再试一次。
error-too-slow = 请求没有及时送达
    .next = 可能是网络不稳定。请返回上一页，再试一次。
error-address-too-long = 这个地址太长
    .next = 请从首页重新进入，再次操作。
error-unknown-kind = 无法读取提交的内容
    .next = 请返回上一页，刷新后重新提交表单。
error-too-many = 操作太频繁
    .next = 为了保护您的账户，请在 { $minutes } 分钟后再试。
error-internal = 我们这边出了问题
    .next = 请过几分钟再试。已付的款项不会丢失，也请不要重复付款。如果一直不行，请联系我们，并提供下面的编号。
error-unavailable = 服务暂时不可用
    .next = 我们正在恢复。请过几分钟再试，不需要重新付款。
error-home = 回到首页
error-help = 查看帮助
error-reference = 编号

relative-now = 刚刚
relative-in-minutes = { $count } 分钟后
relative-minutes-ago = { $count } 分钟前
relative-in-hours = { $count } 小时后
relative-hours-ago = { $count } 小时前
relative-in-days = { $count ->
    [1] 明天
   *[other] { $count } 天后
}
relative-days-ago = { $count ->
    [1] 昨天
   *[other] { $count } 天前
}

# 单位，数字单独显示。
unit-minutes = { $count ->
   *[other] 分钟
}
unit-seconds = { $count ->
   *[other] 秒
}
unit-messages = { $count ->
   *[other] 条
}

offline-title = 没有网络
offline-lead = 连上网络后，这个页面会自动恢复。
offline-kept = 下面的页面已保存在这台设备上，没有网络也能打开：
legal-updated = 由 { $entity } 提供
