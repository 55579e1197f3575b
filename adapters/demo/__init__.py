"""A demonstration: ninety days of a fictional company's certificates, as the modules would report them."""
