// Every page of the console, and how it is looked at.
export const sizes = {
  phone: { width: 390, height: 844, isMobile: true, hasTouch: true },
  desktop: { width: 1280, height: 900 }
}

export const schemes = ['light', 'dark']

export function pagesOf ({ campaign, template }) {
  return {
    overview: '/console',
    campaigns: '/console/campaigns',
    'new-campaign': '/console/campaigns/new',
    campaign,
    channels: '/console/channels',
    batches: '/console/batches',
    templates: '/console/templates',
    'new-template': '/console/templates/new',
    template,
    bots: '/console/bots',
    queues: '/console/queues',
    queue: '/console/queues/send-message',
    users: '/console/users',
    webhooks: '/console/webhooks',
    audit: '/console/audit',
    'api-docs': '/api/docs'
  }
}
