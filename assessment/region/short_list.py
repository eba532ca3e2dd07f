"""The tables without a town, each with its reason. A table on neither side of the walls fails the suite."""

UNWALLED_TABLES: dict[str, str] = {
    "assessment_town": "public reference: the 169 towns and their boundaries",
    "assessment_person": "staff are shared by towns; what they may do is in role assignments, which are walled",
    "assessment_agreement": "interlocal agreements are public; membership and shares are walled",
    "assessment_statecode": "public reference: the state's codes",
    "valuation_modelspec": "model versions are shared by the region and hold no property; adoption by a town is walled",
    "auth_group": "Django's own, unused",
    "auth_group_permissions": "Django's own, unused",
    "auth_permission": "Django's own, unused",
    "axes_accessattempt": "sign-in attempts, before anybody is known",
    "axes_accessattemptexpiration": "sign-in attempts, before anybody is known",
    "axes_accessfailurelog": "sign-in attempts, before anybody is known",
    "axes_accesslog": "sign-in attempts, before anybody is known",
    "django_content_type": "Django's own: names of models",
    "django_migrations": "Django's own: which migrations ran",
    "django_session": "Django's own: signed-in sessions, which name a person and no town",
}
