"""`GET /v1/feed`: events live, over WebSocket; docs/feed.md specifies the protocol."""
