"""A picture, the sentence that says the same, and its numbers: always together."""

import pandas as pd
import streamlit as st

from dashboard.charts import Picture


def figure(
    chart: Picture, table: pd.DataFrame, *, sentence: str, name: str, numbers: pd.DataFrame | None = None
) -> None:
    """Show a chart, the sentence that says the same, and its numbers as a table and as CSV.

    Args:
        chart: the picture.
        table: its numbers as people read them; texts in it must be escaped already.
        sentence: what a person would read off the picture.
        name: unique on the page; names the file.
        numbers: what the CSV holds, if not the table.
    """
    title = name.replace("_", " ")
    st.text(sentence)
    st.altair_chart(chart, alt=f"Chart of {title}: the sentence before it and the table after it say the same.")
    with st.expander(f"The numbers as a table: {title}"):
        st.table(table, hide_index=True, alt=f"Numbers of {title}")
        csv = (table if numbers is None else numbers).to_csv(index=False).encode()
        st.download_button(f"Download {title} (CSV)", csv, f"{name}.csv", "text/csv", key=f"csv_{name}")
