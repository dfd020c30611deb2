"""A picture and its table, always together."""

import altair as alt
import pandas as pd
import streamlit as st


def figure(chart: alt.Chart | alt.LayerChart, table: pd.DataFrame, *, sentence: str, name: str) -> None:
    """Show a chart, the sentence that says the same, and its numbers as a table and as CSV.

    Args:
        chart: the picture.
        table: its numbers; texts in it must be escaped already.
        sentence: what a person would read off the picture.
        name: unique on the page; names the file.
    """
    st.altair_chart(chart, alt=sentence, key=f"chart_{name}")
    st.text(sentence)
    with st.expander(f"The numbers: {name.replace('_', ' ')}"):
        st.table(table, hide_index=True, alt=sentence)
        csv = table.to_csv(index=False).encode()
        st.download_button(
            f"Download {name.replace('_', ' ')} (CSV)", csv, f"{name}.csv", "text/csv", key=f"csv_{name}"
        )
