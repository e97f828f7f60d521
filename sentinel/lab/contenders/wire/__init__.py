"""The wire between a consumer and the store: a tap that notes what passes, what its notes say, what a query reads."""
