"""Every route of the studio door."""

from medici.doors.studio import auth, files
from medici.doors.studio.analytics import events as analytics_events
from medici.doors.studio.analytics import provider_health
from medici.doors.studio.analytics import reports as analytics_reports
from medici.doors.studio.catalogue import audit as product_audit
from medici.doors.studio.catalogue import discover, discover_admin, packs, plans, styles, variables
from medici.doors.studio.experiments import admin as experiment_admin
from medici.doors.studio.experiments import assigning as experiment_assigning
from medici.doors.studio.experiments import audit as experiment_audit
from medici.doors.studio.experiments import automation as experiment_automation
from medici.doors.studio.experiments import guardrails as experiment_guardrails
from medici.doors.studio.experiments import performance as experiment_performance
from medici.doors.studio.experiments import power as experiment_power
from medici.doors.studio.experiments import rollouts as experiment_rollouts
from medici.doors.studio.experiments import routes as experiment_routes
from medici.doors.studio.experiments import templates as experiment_templates
from medici.doors.studio.experiments import trends as experiment_trends
from medici.doors.studio.home import boards, bootstrap, profile
from medici.doors.studio.notices import deliveries as webhook_deliveries
from medici.doors.studio.notices import endpoints as webhook_endpoints
from medici.doors.studio.rendering import events as render_events
from medici.doors.studio.rendering import provider_webhooks, renders, uploads, watched
from medici.doors.studio.routing import canary as provider_settings_canary
from medici.doors.studio.routing import dry_run as provider_settings_dry_run
from medici.doors.studio.routing import history as provider_settings_history
from medici.doors.studio.routing import provider_settings, route_preview
from medici.doors.studio.selling import (
    checkouts,
    client_purchases,
    holdings,
    purchases,
    refunds,
    store_webhooks,
    subscriptions,
)
from medici.doors.studio.selling import messages as store_messages
from medici.doors.studio.tryit import routes as tryit
from medici.doors.studio.wallets import credits
from medici.doors.studio.wallets import history as credit_history
from medici.doors.studio.wallets import resets as credit_resets

# Each for itself, because a router within a router is searched twice for every request; what is
# asked most often comes first.
routers = tuple(
    part.router
    for part in (
        renders,
        analytics_events,
        experiment_assigning,
        uploads,
        credits,
        auth,
        render_events,
        provider_webhooks,
        analytics_reports,
        provider_health,
        files,
        credit_history,
        credit_resets,
        webhook_endpoints,
        webhook_deliveries,
        store_webhooks,
        bootstrap,
        subscriptions,
        checkouts,
        client_purchases,
        holdings,
        purchases,
        refunds,
        store_messages,
        boards,
        profile,
        discover,
        plans,
        packs,
        styles,
        variables,
        product_audit,
        discover_admin,
        provider_settings,
        provider_settings_history,
        provider_settings_canary,
        provider_settings_dry_run,
        route_preview,
        watched,
        # What has a path of its own comes before what is called by an experiment's id.
        experiment_automation,
        experiment_guardrails,
        experiment_rollouts,
        experiment_templates,
        experiment_audit,
        experiment_routes,
        experiment_power,
        experiment_admin,
        experiment_performance,
        experiment_trends,
        tryit,
    )
)
