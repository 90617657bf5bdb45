"""Reading requests: headers, parameters, bodies, cursors."""
