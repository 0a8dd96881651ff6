design-title = Design
