/** What went wrong, what was kept, what to do. */
export const trouble: Record<string, string> = {
  'Programs that use this key are refused from now on. A revoked key does not come back.':
    '使用此密钥的程序从现在起会被拒绝。吊销的密钥无法恢复。',
  'What waits for it is sent no more, and its log and its secret are gone. To pause it, switch it off.':
    '等待发送的不再发送，记录与签名密钥一并删除。若只想暂停，请关闭它。',
  'Is there really nothing?': '真的什么都没有吗？',
  'Yes, there is nothing': '确实没有',
  'The picture is still loading.': '图片还在加载。',
  'The item cannot be shown, so nothing can be said of it.': '该数据无法显示，因此不能作答。',
  'Loading the picture…': '正在加载图片…',
  'The picture did not load': '图片未能加载',
  'Nothing can be said of what cannot be seen: try again, or say that the item is broken.':
    '看不到就不能作答：请重试，或报告该数据已损坏。',
  'The label is empty. It is recorded as it is, for good.': '标签为空。将原样记录，之后不能更改。',
  'Kept in this browser; the server cannot take it now': '已保存在本浏览器；服务器暂时无法接收',
  'Kept in this browser; sign in to go on': '已保存在本浏览器；登录后继续',
  'Kept in this browser; this page failed to send it': '已保存在本浏览器；本页面未能发送',
  '{count, plural, one {# page waits} other {# pages wait}} for you to sign in':
    '{count, plural, other {# 个任务包等待你登录}}',
  'This page fails to send {count, plural, one {# page} other {# pages}}':
    '{count, plural, other {本页面有 # 个任务包发送失败}}',
  'Every label of this page is empty. It is submitted as it is, for good.':
    '本任务包的标签全部为空。将原样提交，之后不能更改。',
  'Something other than this server answered.': '应答的不是本服务器。',
  'A proxy or a sign-in page of your network may stand between: open this page anew.':
    '中间可能隔着代理或网络登录页：请重新打开本页面。',
  'This page ran into a fault of its own: {message}': '本页面自身出错：{message}',
  'Load the page anew. If it comes back, send this sentence to whoever runs this server.':
    '请重新加载页面。若再次出现，请把这句话发给服务器管理员。',
  'Select it and press Ctrl+C': '请选中后按 Ctrl+C',
  'There is a newer version of this page': '本页面已有新版本',
  'This page cannot be shown': '本页面无法显示',
  'The server was updated while the app was open. Load the page anew.': '应用打开期间服务器已更新。请重新加载页面。',
  'It ran into a fault of its own. Everything else goes on working, and work already done is kept.':
    '页面自身出错。其余部分照常可用，已完成的工作都保留着。',
  'If it comes back, send this to whoever runs this server:': '若再次出现，请把下面的内容发给服务器管理员：',
  'Load anew': '重新加载',
  'You are signed out': '你已退出登录',
  'Your session has ended. What is on this page is kept: sign in, and it goes on from here.':
    '会话已结束。本页面的内容都保留着：登录后从这里继续。',
  'What was taken otherwise than it stood there': '与原文不同地接收的内容',
  Notes: '提示',
  'What became of it': '处理结果',
  'Why, and what to do': '原因与处理办法',
  'Taken otherwise': '有改动',
  '{count} noted: see what': '{count} 条提示：查看',
  'Pre-labels': '预标注',
  'Fit as they are': '完全适用',
  'Shown in part': '部分显示',
  'Left out': '未采用',
  'People begin from every one of them, and may change what is wrong.': '标注者从每个预标注开始，并可更正其中的错误。',
  'What does not fit is not shown; where nothing is left, people begin with an empty label.':
    '不适用的部分不显示；没有剩余时，从空标签开始。',
  'At {confidence} confidence at least {bound} of the {items} items are right: {errors} errors among {n} drawn.':
    '在 {confidence} 的置信水平下，{items} 个条目中至少 {bound} 正确：抽中的 {n} 个里有 {errors} 个错误。',
  'for example: {example}': '例如：{example}',
};
