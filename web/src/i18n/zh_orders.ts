/** Orders of other APIs: their callbacks, and what they pay. */
export const orders: Record<string, string> = {
  Orders: '订单',
  'Tasks that come through a client’s own code. Each answer is sent to the address the client gave.':
    '客户通过自己的代码提交的任务。每个结果会发送到客户给出的地址。',
  Callbacks: '回调',
  'What orders pay': '订单单价',
  'task completed': '任务完成',
  'task refused': '任务被拒',
  audit: '审核',
  recall: '撤回',
  'batch completed': '批次完成',
  'How a receiver knows us': '接收方如何辨认我们',
  'Hide the secret': '隐藏密钥',
  'Show the secret': '显示密钥',
  'Every callback of this world carries one secret in a header. A receiver that finds another value there should answer 401.':
    '本环境的每个回调都在请求头中携带同一个密钥。若值不符，接收方应返回 401。',
  'What the callback says': '回调内容',
  'next try': '下次尝试',
  'Tried up to 20 times within 24 hours, until the receiver answers with a status of 200 to 299.':
    '24 小时内最多尝试 20 次，直到接收方返回 200 至 299 的状态码。',
  'No callback yet': '还没有回调',
  'An order with a callback address, or a default address under “What orders pay”, makes the first one.':
    '订单带有回调地址，或在“订单单价”中设置默认地址后，就会产生第一个回调。',
  'No callback in this state': '没有处于此状态的回调',
  'Look and send': '查看与发送',
  'See what it says': '查看内容',
  'A judgement pays': '每条判断支付',
  'Whole, to the person; the fee comes on top.': '全额付给标注员；服务费另计。',
  'Least judgements': '最少判断数',
  'Most judgements': '最多判断数',
  'Tasks to a page': '每页任务数',
  'Begin low: of the first people nothing is known, and above about 90 % each of the first orders would wait for an expert. Raise it once a line of orders has settled some hundreds.':
    '起初宜低：对最初的标注员尚无了解，若高于约 90 %，最初的每个订单都要等专家。待同类订单定案数百个后再提高。',
  'Callbacks go to': '回调地址',
  'Where an order gives no address of its own.': '用于未自带地址的订单。',
  'An order of up to {most} judgements costs at most {sum}, and the fee.':
    '最多 {most} 条判断的订单至多花费 {sum}，另加服务费。',
  'New terms hold for what is placed from now on; what is in the queue keeps its price.':
    '新条件自此后提交的订单起生效；已在队列中的保持原价。',
  'Set these terms': '保存这些条件',
  Kept: '已保存',
};
