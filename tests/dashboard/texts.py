"""What the residents of the tests' city say: our own words, and texts that try to be more than text."""

from typing import NamedTuple


class Said(NamedTuple):
    """A text and how the model would have read it."""

    text: str
    topic: str
    label: str = "negative"
    needs: float = 0.1
    safety: float = 0.02


ORDINARY = (
    Said("The recycling on Elm Street was not picked up again this week", "trash_dumping_cleaning", needs=0.92),
    Said("Pothole on Route 9 swallowed my front wheel this morning", "roads_potholes", needs=0.88),
    Said("New benches at the river park look lovely, thank you", "parks_recreation", "positive"),
    Said("Bus 14 was late for the third day in a row", "transit_taxi", needs=0.3),
    Said("Council meets on Tuesday about the new library hours", "other", "neutral"),
    Said("¿Por qué no recogieron la basura en la calle Olmo esta semana?", "trash_dumping_cleaning", needs=0.9),
    Said("The crew that fixed our streetlight was quick and kind", "streetlights", "positive"),
    Said("Who do I call about a fallen tree on Cedar Lane?", "trees_vegetation", "neutral", needs=0.95),
    Said("Snow plow never came up our hill", "snow_ice", needs=0.2),
    Said("Parking meters on Front Street take cards now", "parking_vehicles", "neutral"),
)
HARM = Said(
    "Strong smell of gas at the corner of Mill and Third, people feel dizzy",
    "air_health_hazard",
    needs=0.97,
    safety=0.94,
)
MAIN = Said(
    "The water main on Mill Street burst, the whole block is under water", "drainage_flooding_water_sewer", needs=0.96
)
ALIKE = Said("Mill Street is under water, a main must have burst there", "drainage_flooding_water_sewer", needs=0.9)
#: The needle is what a person must be able to read on the page, as it was written.
HOSTILE = {
    "bidi": "Refund \u202egnp.exe\u202c is \u2066hidden\u2069 here",
    "formula": '=HYPERLINK("https://evil.example","click") +cmd|\' /C calc\'!A0',
    "img": "<img src=x onerror=alert(1)> broken streetlight on Pine Road",
    "script": "<script>document.title='owned'</script> my bin was not emptied",
    "picture": "look ![x](https://evil.example/p.png) at this pothole",
    "link": "[your refund](javascript:alert(1)) and [here](https://evil.example/login)",
    "icon": ":material/delete: :smile: :red[all clear] :streamlit:",
    "latex": "$\\frac{1}{0}$ and $$x^2$$ dollars for a permit?",
    "heading": "# Everything is answered\n\n---\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n> quoted",
}
LONG = "This went on for hours. " * 420
