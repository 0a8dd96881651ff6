# My line.
line-none = No line yet
line-none-text = Choose a plan. Your line opens as soon as it is paid, and everything that is left is shown here.
line-none-paid = Paid already? See your
line-state-active = In service
line-state-waiting = Waiting for first use
line-state-grace = Ended, number kept
line-state-suspended = Out of service
line-state-closed = Closed
line-as-of = As of { $time }
line-ends = Ends
line-not-started = Your plan has not started yet
line-no-plan = You have no plan now
line-renew = Renew
line-add-data = Add data
line-add-data-hint = Extra data works as soon as it is paid; the end date stays.
line-grace-title = Your plan has ended
line-grace = Your number is kept until { $date }. Renew before then and everything works again.
line-suspended-title = Your line is out of service
line-suspended = Renew and it works again at once, with the same number.
line-data-low = { $percent }% of your data is used
line-voice-low = { $percent }% of your calls are used
line-sms-low = { $percent }% of your texts are used
line-data-out = Your data is used up ({ $percent }%)
line-voice-out = Your calls are used up ({ $percent }%)
line-sms-out = Your texts are used up ({ $percent }%)
line-ends-today = Your plan ends today
line-ends-in = { $days ->
    [one] Your plan ends tomorrow
   *[other] Your plan ends in { $days } days
}
line-ends-hint = It ends on { $date }. Renew early and the new plan follows; no day is lost.
line-waits-title = Your plan is ready
line-waits = The clock starts with first use; it starts by itself on { $date } at the latest
line-plans = Other plans
line-plan-waits = Waiting for first use
line-plan-runs = Running
line-plan-later = To come
line-plan-until = Until { $end }
line-plan-from = { $start } to { $end }
line-history = Use by day
line-history-all = Details
line-history-peak = Data of the last 14 days, { $peak } at most in a day
line-history-none = Nothing used yet
line-history-none-text = What you use on each day will be listed here.
line-history-utc = Days are counted in Coordinated Universal Time (UTC).
line-day = Day
