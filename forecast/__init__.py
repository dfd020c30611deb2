"""Series to Forecast to Staffing."""
