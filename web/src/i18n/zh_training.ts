/** Training: what a worker is told, and what a requester sets. */
export const training: Record<string, string> = {
  Training: '培训',
  'Begin the training': '开始培训',
  'Training passed: the project itself is open to you.': '培训已通过：项目已向你开放。',
  'Training first, paid the same: {needed} of your last {counted} answers right, and the project opens.':
    '先培训，报酬相同：最近 {counted} 个回答中答对 {needed} 个，项目即开放。',
  'You have answered all {tasks} training tasks. More will come; you are not barred.':
    '你已完成全部 {tasks} 个培训任务。之后还会有新的；你并未被排除。',
  '{right} of your last {seen} answers are right. With {needed} of {counted} the project opens.':
    '最近 {seen} 个回答中答对 {right} 个。{counted} 个中答对 {needed} 个，项目即开放。',
  '{right} right of {seen} answered; {needed} needed': '已答 {seen} 个，答对 {right} 个；需答对 {needed} 个',
  right: '正确',
  'not right': '不正确',
  'You said': '你的回答',
  'Right is': '正确答案',
  '{right} of {count} right': '{count} 个中答对 {right} 个',
  '{sum} paid for this page; right or not, it is yours.': '本页已支付 {sum}；无论对错都归你。',
  'To the project': '前往项目',
  'Next page': '下一页',
};
