"""OpenID Connect: the authorization code flow with PKCE, spoken with one identity provider."""
