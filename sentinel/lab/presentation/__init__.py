"""How things look: colours and markers, tables and figures as HTML, alt texts."""
