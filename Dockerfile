FROM odoo:19.0-20260817

LABEL org.opencontainers.image.title="emsp_clearing" \
      org.opencontainers.image.description="Odoo 19 with the eMSP Clearing add-on" \
      org.opencontainers.image.licenses="AGPL-3.0-only"

USER 0

# WeasyPrint loads Pango and HarfBuzz at run time; DejaVu is the face of last resort.
# No versions: the archive of an Ubuntu release keeps only the newest build of each package.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends \
        fonts-dejavu-core \
        libharfbuzz-subset0 \
        libpango-1.0-0 \
        libpangoft2-1.0-0 \
        python3-venv \
    && rm -rf /var/lib/apt/lists/*

# An environment on top of the image's Python packages: it sees Odoo and what Odoo brings along,
# leaves those files alone, and needs no leave to break the system's Python.
# The list is closed, hence --no-deps; the import proves that WeasyPrint finds its libraries.
COPY requirements.txt /opt/clearing/requirements.txt
RUN python3 -m venv --system-site-packages /opt/clearing/venv \
    && /opt/clearing/venv/bin/pip install --no-cache-dir --no-deps --only-binary :all: \
        --requirement /opt/clearing/requirements.txt \
    && /opt/clearing/venv/bin/python -c "import msgspec, odoo.addons.queue_job, openpyxl, weasyprint"

# Not /mnt/extra-addons: that is a volume of the base image, and a volume that is kept while the
# container is replaced would hide the add-on of a newer image.
COPY docker/odoo docker/clearing-init /opt/clearing/venv/bin/
COPY docker/odoo.conf /etc/odoo/odoo.conf
COPY emsp_clearing /opt/clearing/addons/emsp_clearing

# The base image's entry point runs the first `odoo` on the path.
ENV PATH="/opt/clearing/venv/bin:${PATH}"

# By name: its number is the base image's affair.
# hadolint ignore=DL3066
USER odoo

HEALTHCHECK --interval=30s --timeout=10s --start-period=120s --retries=3 \
    CMD ["curl", "--fail", "--silent", "--show-error", "--output", "/dev/null", "http://127.0.0.1:8069/web/health"]
