"""Words that many companies share: what areas are called, where claims stand, how people say they leave.

In: nothing. Out: constants, read by the stages that sort spans into areas and link them to claims.
Never holds words of one company: those come from classifier.toml and the tables beside the feedback.
"""

from typing import Final

AREA_WORDS: Final[dict[str, tuple[str, str]]] = {
    "billing": (
        "billing bill bills invoice invoices payment subscription",
        "bill billed billing invoice charge charged charges overcharged fee fees refund refunded credit "
        "vat receipt direct-debit debit card payment pay paid money price prices cost costs pounds euros "
        "euro dollars rechnung facture factura factuur rechnungen abbuchung prélèvement cobro importe "
        "abrechnung abo belastung überweisung remboursement abonnement abonnements reembolso suscripción "
        "betaling abonnement",
    ),
    "commercial": (
        "commercial pricing price contract contracts renewal sales account plans plan licence",
        "price prices pricing renewal renew contract contracts quote offer discount increase rise percent "
        "terms notice lock-in term subscription cancel cancellation leave leaving upgrade tier licence "
        "license seat seats negotiate procurement budget expensive cheaper preis vertrag kündigung "
        "kündigen verlängerung contrat prix augmentation résiliation contrato precio subida prijs "
        "contract opzeggen",
    ),
    "payments": (
        "payments payment payouts checkout pay",
        "payment payments pay paid card cards payout payouts bank transfer deposit deposits iban sepa "
        "stripe paypal settlement terminal checkout fee refund zahlung auszahlung überweisung paiement "
        "virement pago cobro betaling",
    ),
    "invoicing": (
        "invoicing invoices invoice quotes estimates",
        "invoice invoices invoicing quote quotes estimate estimates vat tax rate line credit-note deposit "
        "template numbering total amount due reminder rechnung steuer mwst angebot facture devis tva "
        "factura iva presupuesto factuur btw offerte",
    ),
    "support": (
        "support service help care customer_service helpdesk",
        "support reply replies answer answered answers agent agents chat phone phoned call called "
        "callback call-back hold queue waiting wait waited ticket tickets hotline hours response respond "
        "helpdesk email emailed nobody bot human rude escalate documentation docs article help manual "
        "guide antwort warten rückruf réponse attente respuesta esperando wachten antwoord hilfe "
        "unterstützung erreichbar aide assistance joindre ayuda soporte atención hulp ondersteuning "
        "bereikbaar",
    ),
    "mobile": (
        "mobile app apps phone ios android",
        "app phone phones mobile tablet ipad iphone android ios offline signal coverage sync syncing "
        "photo photos camera battery screen crash crashes update store notification push handy tablet "
        "téléphone móvil teléfono telefoon aplicación application appli funkloch réseau cobertura "
        "offline-modus hors-ligne sin-conexión",
    ),
    "integrations": (
        "integrations integration connectors connector connections sync",
        "integration integrate integrates connector connect connection sync synced syncing api zapier "
        "webhook import export quickbooks xero datev sage netsuite sap salesforce hubspot outlook google "
        "calendar shopify slack teams erp crm accounting duplicate duplicates two-way schnittstelle "
        "anbindung synchronisation connecteur integración koppeling",
    ),
    "api": (
        "api developer developers webhooks",
        "api endpoint endpoints webhook webhooks rate limit limits calls quota token tokens sdk json rest "
        "developer developers script 429 throttled schnittstelle",
    ),
    "reporting": (
        "reporting reports report analytics statistics dashboards insights",
        "report reports reporting dashboard dashboards chart charts figures numbers statistics stats "
        "export excel spreadsheet csv kpi metric metrics totals filter graph bericht auswertung zahlen "
        "rapport tableau chiffres informe cifras berichte statistik tableaux indicateurs exportation "
        "estadísticas informes rapportage cijfers",
    ),
    "admin": (
        "admin administration users roles permissions security access team teams login",
        "admin role roles permission permissions rights access user users log-in login logins password "
        "passwords sso saml scim two-factor 2fa mfa code codes authenticator provisioning seat lock "
        "locked invite hide see anmeldung passwort rechte benutzer mot-de-passe droits contraseña "
        "permisos wachtwoord",
    ),
    "platform": (
        "platform performance reliability stability availability core interface",
        "outage down downtime uptime status slow slower loading load loads freeze freezes hang hangs "
        "crash error timeout navigation menu redesign layout interface click clicks maintenance server "
        "servers hosting location ausfall langsam störung panne lent caída lento storing traag absturz "
        "verfügbarkeit wartung menü oberfläche indisponible menu maintenance caídas menú interfaz",
    ),
    "onboarding": (
        "onboarding setup migration implementation training",
        "onboarding migrate migration migrated import imported move moved setup set-up go-live live "
        "training trained webinar implementation kick-off consultant old provider transfer start weeks "
        "einführung schulung umzug formation mise-en-service formación migración",
    ),
    "notifications": (
        "notifications notification messaging messages alerts sms reminders",
        "notification notifications alert alerts text texts sms message messages reminder reminders "
        "whatsapp email emails push reach unread cap limit nachricht erinnerung message rappel mensaje "
        "aviso bericht",
    ),
    "inventory": (
        "inventory stock warehouse parts",
        "stock inventory part parts count counts warehouse van bin barcode scan purchase order orders "
        "reorder replenish quantity item items lager bestand ersatzteile pièces inventario existencias "
        "voorraad",
    ),
    "portal": (
        "portal self_service customer_portal storefront",
        "portal self-service customer customers book booking rebook reschedule cancel move log-in online "
        "page tenant tenants request requests kunde kundenportal client portail cliente portaal",
    ),
    "scheduling": (
        "scheduling planning dispatch calendar routing routes bookings",
        "schedule scheduling scheduled board dispatch dispatcher dispatchers route routes routing plan "
        "planning planner visit visits recurring calendar shift shifts assign assigned drag slot slots "
        "traffic drive driving skill skills appointment tour planung einsatz termin tournée planning ruta "
        "agenda plantafel kalender einsätze disposition termine route trajet rendez-vous planificación "
        "rutas citas planbord",
    ),
    "app": (
        "app application interface",
        "app screen button menu login log-in dark mode language notification notifications widget home- "
        "screen icon icons device devices list",
    ),
    "connection": (
        "connection connectivity line network speed broadband internet",
        "speed speeds fast slow mbit meg gigabit download upload ping latency line fibre evening peak "
        "throttle throttled cap unlimited outage down drop drops dropped buffering stream streaming ipv6 "
        "address",
    ),
    "hardware": (
        "hardware device devices equipment wifi_hardware router",
        "router box device devices unit wifi wireless wi-fi mesh signal coverage room rooms bedroom port "
        "ports socket cable light ring restart restarts reboot firmware update power battery wall mount "
        "guest network band password channel",
    ),
    "safety": (
        "safety parental security protection moderation privacy",
        "filter filters block blocked blocks child children kids kid bedtime screen-time scam phishing "
        "vpn adult sites site safe profile profiles daughter son homework",
    ),
    "install": (
        "install installation delivery engineer setup appointments",
        "engineer engineers technician appointment slot installation install installed visit missed "
        "waited morning move moving house switch switching provider cable drill set-up plug date",
    ),
    "business": (
        "business enterprise b2b trade",
        "business shop shops office offices site sites tills till card machines failover backup static ip "
        "sla fault faults portal branches branch depot practice company",
    ),
    "voice": (
        "voice telephony calls phone",
        "number numbers port porting ported landline handset voicemail ring rings dial caller calls "
        "answering switchboard",
    ),
    "editor": (
        "editor design templates builder content authoring",
        "editor template templates block blocks draft drafts design layout font fonts colour colours "
        "image images picture pictures column columns drag paste html undo autosave preview print copy "
        "duplicate button render rendering",
    ),
    "contacts": (
        "contacts audience lists crm customers data records",
        "contact contacts list lists segment segments tag tags import imported duplicate duplicates "
        "address addresses subscriber subscribers group groups merge people people field fields postcode",
    ),
    "sending": (
        "sending campaigns campaign delivery messaging",
        "send sends sending sent campaign campaigns scheduled schedule queue late delay delayed minutes "
        "went resend time-zone subject headline test mailing button",
    ),
    "deliverability": (
        "deliverability email_delivery inbox",
        "spam junk inbox bounce bounced bounces blocked blacklist block-list domain spf dkim dmarc "
        "hotmail outlook gmail ip reputation arrive arrived",
    ),
    "automation": (
        "automation automations workflows workflow rules journeys",
        "automation automatic automatically automate workflow workflows trigger triggers rule rules "
        "journey journeys series welcome birthday reminder follow-up sequence date",
    ),
    "forms": (
        "forms form surveys survey landing_pages",
        "form forms sign-up signup field fields pop-up landing page survey poll question questions "
        "consent checkbox preference preferences website embed",
    ),
    "ai": (
        "ai assistant copilot machine_learning bot",
        "ai assistant generated writes wrote writing tone voice style suggestion suggestions hallucinated "
        "words text translate",
    ),
    "team": (
        "team users collaboration roles accounts access",
        "team user users seat seats login logins role roles permission permissions colleague colleagues "
        "volunteer volunteers password two-factor sso approve approval sign-off comments share sharing "
        "editor admin access",
    ),
    "compliance": (
        "compliance privacy legal gdpr security data_protection",
        "gdpr consent privacy data protection record records audit dpo legal regulator law hosting region "
        "server servers europe subcontractor sub-processor delete deletion retention datenschutz dsgvo "
        "rgpd avg",
    ),
    "search": (
        "search discovery find",
        "search find filter filters results query sort sorting relevance",
    ),
    "shipping": (
        "shipping delivery logistics fulfilment returns",
        "delivery delivered parcel courier shipping shipment tracking late lost damaged package return "
        "returns warehouse carrier",
    ),
    "quality": (
        "quality product defects",
        "broke broken defect defective quality faulty material warranty replacement repair",
    ),
}
"""Concept -> (names that areas of this kind go by, words that point to it; "_" and "-" join words).

Used beside the user's own phrases, at a lower weight, for areas whose name is one of those names.
"""

CHANNEL_WORDS: Final[dict[str, str]] = {
    "website": (
        "website websites site page pages web home homepage online seite webseite sitio página web- "
        "site internet"
    ),
    "ads": (
        "ad ads advert adverts advertisement advertised poster posters billboard radio tv telly "
        "television banner flyer leaflet facebook instagram linkedin campaign commercial werbung "
        "anzeige plakat affiche publicité pub anuncio publicidad reclame"
    ),
    "store_listing": (
        "store listing listed app-store play blurb marketplace plugin plug-in add-on screenshot "
        "description download downloaded"
    ),
    "sales_deck": (
        "slide slides deck pitch demo demoed rep reps sales salesman presentation presented "
        "proposal quote order-form pdf account-executive vertrieb präsentation commercial "
        "presentación verkoper"
    ),
    "email": (
        "mail email emailed mailing mailed newsletter announcement letter inbox offer angebot "
        "courriel correo brief"
    ),
    "docs": (
        "docs documentation handbook manual help help-centre help-center article booklet guide "
        "reference developer developers wiki readme specification handbuch dokumentation "
        "documentación"
    ),
    "event": (
        "expo stand booth stage fair conference trade-show show keynote event talk panel messe "
        "salon feria beurs"
    ),
    "social": "tweet tweeted post posted linkedin facebook instagram thread video youtube",
    "pricing_page": "pricing price-page price-list plan-page comparison tier",
    "press": "press release article interview magazine newspaper",
}
"""Channel of a claim -> words by which a customer says that the promise was met there."""
