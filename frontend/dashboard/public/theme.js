// Runs before the first paint. Everything else about preferences is in src/preferences.ts, which uses the same keys.
(function () {
    var root = document.documentElement;
    try {
        var theme = JSON.parse(localStorage.getItem('ts.theme') || '"system"');
        if (theme === 'light' || theme === 'dark') root.dataset.theme = theme;
        var language = JSON.parse(localStorage.getItem('ts.language') || '"pt-BR"');
        if (language === 'en') root.lang = 'en';
        if (JSON.parse(localStorage.getItem('ts.sidebarFolded') || 'false') === true)
            root.dataset.sidebar = 'folded';
    } catch (_) {
        // Storage refused or damaged: the defaults stand.
    }
})();
