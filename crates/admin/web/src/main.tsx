/** The admin pages: reads who is logged in, and draws. */

import './styles/base.css';
import './styles/shell.css';
import './styles/parts.css';
import './styles/pages.css';
import './styles/chart.css';

import { render } from 'preact';
import { App } from './app.tsx';
import { applyPreferences } from './box/preferences.ts';
import { leadToLogin } from './box/session.ts';
import { watchStatus } from './box/status.ts';
import { watchRoute } from './route.tsx';

applyPreferences();
leadToLogin();
watchRoute();
watchStatus();
const root = document.getElementById('app');
if (root) render(<App />, root);
